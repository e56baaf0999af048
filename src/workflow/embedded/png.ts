/** Texts of a PNG: `tEXt`, `zTXt`, `iTXt`, and ComfyUI's own `comf` chunks in animated ones (SaveAnimatedPNG). */
import { inflateSync } from 'node:zlib';
import { addText, MAX_TEXT, type Bytes, type Texts } from './bytes.js';
import { addExifTexts } from './exif.js';

export function isPng(head: Buffer): boolean {
  return head.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
}

export function addPngTexts(bytes: Bytes, texts: Texts): void {
  for (let at = 8; at + 12 <= bytes.size;) {
    const head = bytes.read(at, 8);
    const length = head.readUInt32BE(0);
    const type = head.toString('latin1', 4, 8);
    if (type === 'IEND') return;
    if (length <= MAX_TEXT) addChunk(type, () => bytes.read(at + 8, length), texts);
    at += 12 + length;
  }
}

function addChunk(type: string, read: () => Buffer, texts: Texts): void {
  switch (type) {
    case 'tEXt':
    case 'comf': {
      const [key, body] = split(read());
      addText(texts, key, decoded(body));
      return;
    }
    case 'zTXt': {
      const [key, body] = split(read());
      addText(texts, key, decoded(inflate(body.subarray(1))));
      return;
    }
    case 'iTXt': {
      const [key, body] = split(read());
      const [, translated] = split(body.subarray(2));
      const [, text] = split(translated);
      addText(texts, key, (body[0] === 1 ? inflate(text) : text).toString('utf8'));
      return;
    }
    case 'eXIf':
      addExifTexts(read(), texts);
  }
}

/** A text up to its zero, in Latin-1, and what follows. */
function split(data: Buffer): readonly [string, Buffer] {
  const end = data.indexOf(0);
  return end < 0
    ? [data.toString('latin1'), Buffer.alloc(0)]
    : [data.toString('latin1', 0, end), data.subarray(end + 1)];
}

/** Latin-1 by the standard, and UTF-8 by those who don't keep to it, as ComfyUI's editor reads it. */
function decoded(text: Buffer): string {
  const asUtf8 = text.toString('utf8');
  return asUtf8.includes('\ufffd') ? text.toString('latin1') : asUtf8;
}

function inflate(data: Buffer): Buffer {
  try {
    return inflateSync(data, { maxOutputLength: MAX_TEXT });
  } catch {
    // A damaged text is none.
    return Buffer.alloc(0);
  }
}
