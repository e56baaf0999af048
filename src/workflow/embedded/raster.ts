/** Texts of JPEG, WebP and GIF. */
import { MAX_TEXT, type Bytes, type Texts } from './bytes.js';
import { addComment, addExifTexts } from './exif.js';

export function isJpeg(head: Buffer): boolean {
  return head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff;
}

/** The segments before the picture: APP1 holds EXIF, COM a comment. */
export function addJpegTexts(bytes: Bytes, texts: Texts): void {
  for (let at = 2; at + 4 <= bytes.size;) {
    const head = bytes.read(at, 4);
    const marker = head[1]!;
    if (head[0] !== 0xff || marker === 0xda || marker === 0xd9) return;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = head.readUInt16BE(2);
    if (length < 2) return;
    const body = () => bytes.read(at + 4, length - 2);
    if (marker === 0xe1) addExifTexts(body(), texts);
    else if (marker === 0xfe) addComment(body().toString('utf8').replace(/\0+$/, ''), texts);
    at += 2 + length;
  }
}

export function isWebp(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP';
}

export function addWebpTexts(bytes: Bytes, texts: Texts): void {
  for (let at = 12; at + 8 <= bytes.size;) {
    const head = bytes.read(at, 8);
    const length = head.readUInt32LE(4);
    if (head.toString('latin1', 0, 4) === 'EXIF' && length <= MAX_TEXT) {
      addExifTexts(bytes.read(at + 8, length), texts);
    }
    at += 8 + length + (length & 1);
  }
}

export function isGif(head: Buffer): boolean {
  return /^GIF8[79]a$/.test(head.toString('latin1', 0, 6));
}

/** Comments, wherever they stand between pictures. */
export function addGifTexts(bytes: Bytes, texts: Texts): void {
  const tableOf = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
  let at = 13 + tableOf(bytes.read(10, 1)[0] ?? 0);
  for (;;) {
    const [kind, label] = bytes.read(at, 2);
    if (kind === 0x21) {
      const { body, end } = blocksAt(bytes, at + 2, label === 0xfe);
      if (label === 0xfe) addComment(body.toString('utf8'), texts);
      at = end;
    } else if (kind === 0x2c) {
      const table = tableOf(bytes.read(at + 9, 1)[0] ?? 0);
      at = blocksAt(bytes, at + 10 + table + 1, false).end;
    } else return;
  }
}

function blocksAt(
  bytes: Bytes,
  start: number,
  keeps: boolean,
): { readonly body: Buffer; readonly end: number } {
  const parts: Buffer[] = [];
  let at = start;
  for (let total = 0; total <= MAX_TEXT;) {
    const length = bytes.read(at, 1)[0] ?? 0;
    if (length === 0) return { body: Buffer.concat(parts), end: at + 1 };
    if (keeps) {
      parts.push(bytes.read(at + 1, length));
      total += length;
    }
    at += 1 + length;
  }
  return { body: Buffer.concat(parts), end: bytes.size };
}
