/** Pictures in requests: base64, as a data URL or bare, put where workflows find them. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HttpFault } from './fault.js';

const FOLDER = 'a1111';

/** First bytes of the formats that clients send, and what their files are called. */
const FORMATS: readonly (readonly [extension: string, begins: (bytes: Buffer) => boolean])[] = [
  ['.png', (bytes) => bytes.readUInt32BE(0) === 0x89504e47],
  ['.jpg', (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8],
  [
    '.webp',
    (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  ],
  ['.gif', (bytes) => bytes.toString('latin1', 0, 3) === 'GIF'],
  ['.bmp', (bytes) => bytes.toString('latin1', 0, 2) === 'BM'],
  ['.avif', (bytes) => bytes.toString('latin1', 4, 12) === 'ftypavif'],
];

/** The bytes of a picture. Throws `HttpFault` (500, as A1111 does) for what isn't base64 of one, and for addresses, which are never asked. */
export function decodeImage(encoded: string): Buffer {
  if (/^https?:/i.test(encoded)) throw new HttpFault(500, 'Requests not allowed: send pictures as base64');
  const base64 = encoded.startsWith('data:image/') ? encoded.slice(encoded.indexOf(',') + 1) : encoded;
  const bytes = Buffer.from(base64, 'base64');
  if (extensionOf(bytes) === undefined) throw new HttpFault(500, 'Invalid encoded image');
  return bytes;
}

/**
 * Keeps a picture in the temp folder under its hash and gives the name that Load Image finds it by. With `series`, it is named by that and its index:
 * `SERIES.INDEX`.
 */
export async function keepImage(
  temp: string,
  bytes: Buffer,
  series?: { readonly name: string; readonly index: number },
): Promise<string> {
  const stem =
    series === undefined
      ? createHash('sha256').update(bytes).digest('hex').slice(0, 32)
      : `${series.name}.${series.index}`;
  // Load Image tells formats apart by their bytes.
  const name = `${stem}${series === undefined ? extensionOf(bytes)! : '.png'}`;
  const folder = join(temp, FOLDER);
  await mkdir(folder, { recursive: true });
  const partial = join(folder, `.${randomUUID()}`);
  await writeFile(partial, bytes);
  await rename(partial, join(folder, name));
  return `${FOLDER}/${name} [temp]`;
}

/** The names of a series, with what stands for its index. */
export function seriesName(name: string, index: string): string {
  return `${FOLDER}/${name}.${index}.png [temp]`;
}

function extensionOf(bytes: Buffer): string | undefined {
  if (bytes.length < 16) return undefined;
  return FORMATS.find(([, begins]) => begins(bytes))?.[0];
}
