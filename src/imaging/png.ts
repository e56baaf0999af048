/** PNG files with text, as Pillow writes them. */
import { crc32, deflateSync } from 'node:zlib';
import type { BytePicture } from './bytes.js';
import { loadSharp } from './load-sharp.js';

export interface PngOptions {
  /** zlib's, 0 to 9. */
  readonly compressionLevel: number;
  /** Text by keyword, of 1 to 79 Latin-1 characters. */
  readonly texts?: Readonly<Record<string, string>>;
}

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const SIGNATURE_LENGTH = SIGNATURE.length;
/** Chunks of the encoder that make up the picture; others (`pHYs`) say what nobody knows. */
const PICTURE_CHUNKS = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

/** Encodes an RGB or RGBA picture. Throws `RangeError` for other channels and for a keyword that PNG doesn't allow. */
export async function encodePng(picture: BytePicture, options: PngOptions): Promise<Buffer> {
  const { width, height, channels, data } = picture;
  if (channels !== 3 && channels !== 4) {
    throw new RangeError(`an image of ${channels} channels can't be saved; 3 (RGB) or 4 (RGBA) are needed`);
  }
  const texts = Object.entries(options.texts ?? {}).map(([keyword, text]) => textChunk(keyword, text));
  const sharp = await loadSharp();
  const encoded = await sharp(data, { raw: { width, height, channels } })
    .png({ compressionLevel: options.compressionLevel, adaptiveFiltering: true })
    .toBuffer();
  const [header, ...rest] = chunksOf(encoded).filter(({ type }) => PICTURE_CHUNKS.has(type));
  return Buffer.concat([
    encoded.subarray(0, SIGNATURE_LENGTH),
    header!.bytes,
    ...texts,
    ...rest.map(({ bytes }) => bytes),
  ]);
}

/** The same PNG with texts behind those that it has; one of the same keyword goes. */
export function withTexts(png: Buffer, texts: Readonly<Record<string, string>>): Buffer {
  const isReplaced = (each: PngChunk) =>
    ['tEXt', 'zTXt', 'iTXt'].includes(each.type) && keywordOf(each.body) in texts;
  const [header, ...rest] = chunksOf(png).filter((each) => !isReplaced(each));
  const isText = (each: PngChunk | undefined) => each?.type === 'tEXt' || each?.type === 'iTXt';
  const told = rest.findIndex((each) => !isText(each));
  return Buffer.concat([
    png.subarray(0, SIGNATURE_LENGTH),
    header!.bytes,
    ...rest.slice(0, told).map(({ bytes }) => bytes),
    ...Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text)),
    ...rest.slice(told).map(({ bytes }) => bytes),
  ]);
}

/** Whether a file begins as PNG files do. */
export function isPng(bytes: Buffer): boolean {
  return bytes.subarray(0, SIGNATURE_LENGTH).equals(SIGNATURE);
}

function keywordOf(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString('latin1', 0, end < 0 ? body.length : end);
}

/** The same PNG saying that its colours are those of an ICC profile. */
export function withColourProfile(png: Buffer, profile: Buffer): Buffer {
  const headerEnd = SIGNATURE_LENGTH + 12 + 13;
  const body = Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(profile)]);
  return Buffer.concat([png.subarray(0, headerEnd), chunk('iCCP', body), png.subarray(headerEnd)]);
}

interface PngChunk {
  readonly type: string;
  readonly body: Buffer;
  /** Length, type, body and checksum. */
  readonly bytes: Buffer;
}

/** The chunks of a PNG file up to its end or to where it is cut off. */
export function chunksOf(png: Buffer): PngChunk[] {
  const chunks: PngChunk[] = [];
  for (let at = SIGNATURE_LENGTH; at + 12 <= png.length;) {
    const end = at + 12 + png.readUInt32BE(at);
    if (end > png.length) break;
    const type = png.toString('latin1', at + 4, at + 8);
    chunks.push({ type, body: png.subarray(at + 8, end - 4), bytes: png.subarray(at, end) });
    at = end;
  }
  return chunks;
}

/** Pillow's PngInfo.add_text: `tEXt` where Latin-1 can hold the text, else uncompressed `iTXt` in UTF-8. */
function textChunk(keyword: string, text: string): Buffer {
  if (!/^[\x20-\x7e\xa1-\xff]{1,79}$/.test(keyword)) {
    throw new RangeError(
      `${JSON.stringify(keyword)} can't be a PNG text's keyword: 1 to 79 Latin-1 characters are allowed`,
    );
  }
  const key = Buffer.from(keyword, 'latin1');
  if (isLatin1(text)) return chunk('tEXt', Buffer.concat([key, Buffer.of(0), Buffer.from(text, 'latin1')]));
  // Keyword, no compression, no language, no translated keyword.
  return chunk('iTXt', Buffer.concat([key, Buffer.of(0, 0, 0, 0, 0), Buffer.from(text, 'utf8')]));
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

/** A chunk with its length and checksum. */
export function chunk(type: string, body: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + body.length);
  bytes.writeUInt32BE(body.length, 0);
  bytes.write(type, 4, 'latin1');
  body.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + body.length)), 8 + body.length);
  return bytes;
}
