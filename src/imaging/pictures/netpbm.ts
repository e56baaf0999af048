/** PBM, PGM and PPM, packed and as text (PpmImagePlugin.py). */
import type { Budget } from './budget.js';
import { ByteSource } from './byte-source.js';
import { broken } from './fault.js';
import type { Frame } from './frame.js';

export function isNetpbm(bytes: Buffer): boolean {
  return /^P[1-6][\s#]/.test(bytes.toString('latin1', 0, 3));
}

/** The one picture; what is missing at its end is black. Rejects with `PictureError`. */
export async function decodeNetpbm(bytes: Buffer, budget: Budget): Promise<Frame[]> {
  const source = new ByteSource(bytes);
  const kind = source.read(2)[1]! - 0x30;
  const [width, height] = [numberFrom(source), numberFrom(source)];
  const oneBit = kind === 1 || kind === 4;
  const largest = oneBit ? 1 : numberFrom(source);
  if (largest < 1 || largest > 65535)
    throw broken(`its largest value is ${largest}; 1 to 65535 are possible`);
  await budget.spend(width, height);
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  const length = width * height * channels;
  const values =
    kind <= 3 ? textValues(source, length, oneBit) : packedValues(source, { width, length, largest, oneBit });
  const deep = largest > 255;
  const rgba = deep ? new Float32Array(width * height * 4) : new Uint8Array(width * height * 4);
  const whole = deep ? 1 : 255;
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      const value = values[pixel * channels + (channels === 3 ? c : 0)] ?? (oneBit ? 1 : 0);
      const share = oneBit ? 1 - value : Math.min(1, value / largest);
      rgba[pixel * 4 + c] = deep ? share : Math.round(share * 255);
    }
    rgba[pixel * 4 + 3] = whole;
  }
  return [{ width, height, rgba, alpha: 'none' }];
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 9 && byte <= 13);
}

/** The next number, comments left out. */
function numberFrom(source: ByteSource): number {
  const text = tokenFrom(source);
  if (!/^\d{1,10}$/.test(text)) throw broken('a number in its header is missing or damaged');
  return Number(text);
}

function tokenFrom(source: ByteSource): string {
  let text = '';
  while (text.length <= 10) {
    const byte = source.read(1)[0];
    if (byte === undefined) break;
    if (byte === 0x23) skipLine(source);
    else if (!isSpace(byte)) text += String.fromCharCode(byte);
    else if (text !== '') break;
  }
  return text;
}

function skipLine(source: ByteSource): void {
  for (let byte = source.read(1)[0]; byte !== undefined && byte !== 10 && byte !== 13;)
    byte = source.read(1)[0];
}

function textValues(source: ByteSource, length: number, oneBit: boolean): ArrayLike<number> {
  const values = new Uint32Array(length);
  const text = source.bytes.toString('latin1', source.at).replace(/#[^\r\n]*/g, '');
  // Bits need no space between them.
  const tokens = text.matchAll(oneBit ? /\S/g : /\S+/g);
  let read = 0;
  for (const [token] of tokens) {
    if (read === length) break;
    if (!/^\d{1,10}$/.test(token) || (oneBit && token > '1'))
      throw broken(`${JSON.stringify(token.slice(0, 10))} among its pixels is no number`);
    values[read++] = Number(token);
  }
  if (read < length) throw broken('it is cut off');
  return values;
}

interface Packing {
  readonly width: number;
  readonly length: number;
  readonly largest: number;
  readonly oneBit: boolean;
}

function packedValues(source: ByteSource, { width, length, largest, oneBit }: Packing): ArrayLike<number> {
  const bytes = source.bytes.subarray(source.at);
  if (oneBit) {
    const stride = Math.ceil(width / 8);
    return Uint8Array.from(
      { length },
      (_, i) =>
        ((bytes[Math.floor(i / width) * stride + ((i % width) >> 3)] ?? 0xff) >> (7 - ((i % width) & 7))) & 1,
    );
  }
  if (largest <= 255) return bytes;
  return Uint16Array.from({ length: Math.min(length, bytes.length >> 1) }, (_, i) =>
    bytes.readUInt16BE(i * 2),
  );
}
