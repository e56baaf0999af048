/**
 * Texts of MP4, MOV and AVIF. ffmpeg's `use_metadata_tags`, which ComfyUI and VideoHelperSuite write with, keeps them by name
 * (`moov/udta/meta` or `moov/meta`: `keys`, `ilst`); without it there is a comment alone (`©cmt`). An AVIF's EXIF block is an
 * item of its `meta`.
 */
import { addText, MAX_TEXT, type Bytes, type Texts } from './bytes.js';
import { addComment, addExifTexts } from './exif.js';

export function isIsobmff(head: Buffer): boolean {
  return head.toString('latin1', 4, 8) === 'ftyp';
}

interface Box {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

const MAX_BOXES = 100_000;

function* boxes(bytes: Bytes, start: number, end: number): Generator<Box> {
  let at = start;
  for (let count = 0; at + 8 <= end && count < MAX_BOXES; count++) {
    const head = bytes.read(at, 16);
    if (head.length < 8) return;
    let length = head.readUInt32BE(0);
    let header = 8;
    if (length === 1 && head.length === 16) {
      length = Number(head.readBigUInt64BE(8));
      header = 16;
    } else if (length === 0) length = end - at;
    if (length < header) return;
    yield { type: head.toString('latin1', 4, 8), start: at + header, end: Math.min(end, at + length) };
    at += length;
  }
}

function find(bytes: Bytes, { start, end }: Pick<Box, 'start' | 'end'>, type: string): Box | undefined {
  for (const box of boxes(bytes, start, end)) if (box.type === type) return box;
  return undefined;
}

export function addIsobmffTexts(bytes: Bytes, texts: Texts): void {
  const whole = { start: 0, end: bytes.size };
  const moov = find(bytes, whole, 'moov');
  const udta = moov && find(bytes, moov, 'udta');
  for (const outer of [moov, udta]) {
    const meta = outer && find(bytes, outer, 'meta');
    if (meta !== undefined) addMetaTexts(bytes, meta, texts);
  }
  const items = find(bytes, whole, 'meta');
  if (items !== undefined) addExifItem(bytes, items, texts);
}

function addMetaTexts(bytes: Bytes, meta: Box, texts: Texts): void {
  // QuickTime's box has no version before its content, MP4's has.
  const isPlain = bytes.read(meta.start + 4, 4).toString('latin1') === 'hdlr';
  const inner = { start: meta.start + (isPlain ? 0 : 4), end: meta.end };
  const keys = find(bytes, inner, 'keys');
  const list = find(bytes, inner, 'ilst');
  if (list === undefined) return;
  const names = keys === undefined ? [] : keyNames(bytes, keys);
  for (const item of boxes(bytes, list.start, list.end)) {
    const data = find(bytes, item, 'data');
    if (data === undefined || data.end - data.start > MAX_TEXT) continue;
    const text = bytes.read(data.start + 8, data.end - data.start - 8).toString('utf8');
    const index = Buffer.from(item.type, 'latin1').readUInt32BE(0);
    const name = names[index - 1];
    if (name !== undefined) addText(texts, name, text);
    else if (item.type === '\xa9cmt') addComment(text, texts);
  }
}

function keyNames(bytes: Bytes, keys: Box): string[] {
  const names: string[] = [];
  const data = bytes.read(keys.start, Math.min(keys.end - keys.start, 2 ** 20));
  for (let at = 8; at + 8 <= data.length;) {
    const length = data.readUInt32BE(at);
    if (length < 8) break;
    names.push(data.toString('utf8', at + 8, at + length));
    at += length;
  }
  return names;
}

/** `iinf` says which item is the EXIF block, `iloc` where it lies; four bytes before it say where its TIFF header is. */
function addExifItem(bytes: Bytes, meta: Box, texts: Texts): void {
  const inner = { start: meta.start + 4, end: meta.end };
  const infos = find(bytes, inner, 'iinf');
  const places = find(bytes, inner, 'iloc');
  if (infos === undefined || places === undefined) return;
  const counted = bytes.read(infos.start, 1)[0] === 0 ? 2 : 4;
  for (const entry of boxes(bytes, infos.start + 4 + counted, infos.end)) {
    const body = bytes.read(entry.start, 14);
    const wide = body[0] === 3;
    if (entry.type !== 'infe' || body.length < 14 || body[0]! < 2) continue;
    const id = wide ? body.readUInt32BE(4) : body.readUInt16BE(4);
    if (body.toString('latin1', wide ? 10 : 8, wide ? 14 : 12) !== 'Exif') continue;
    const place = placeOf(bytes.read(places.start, Math.min(places.end - places.start, 2 ** 20)), id);
    if (place === undefined || place.length > MAX_TEXT) continue;
    const item = bytes.read(place.offset, place.length);
    if (item.length > 4) addExifTexts(item.subarray(4 + item.readUInt32BE(0)), texts);
  }
}

/** The one extent of an item in the file itself (ISO 14496-12, ItemLocationBox). */
function placeOf(
  data: Buffer,
  wanted: number,
): { readonly offset: number; readonly length: number } | undefined {
  const reader = new Reader(data);
  const version = reader.number(1);
  reader.number(3);
  const sizes = reader.number(2);
  const [offsets, lengths, bases] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indices = version === 0 ? 0 : sizes & 15;
  const count = reader.number(version < 2 ? 2 : 4);
  for (let item = 0; item < count && !reader.isOver(); item++) {
    const id = reader.number(version < 2 ? 2 : 4);
    const method = version === 0 ? 0 : reader.number(2) & 15;
    reader.number(2);
    const base = reader.number(bases);
    const extents = reader.number(2);
    let place: { offset: number; length: number } | undefined;
    for (let extent = 0; extent < extents && !reader.isOver(); extent++) {
      reader.number(indices);
      const offset = base + reader.number(offsets);
      place ??= { offset, length: reader.number(lengths) };
    }
    if (id === wanted) return method === 0 && !reader.isOver() ? place : undefined;
  }
  return undefined;
}

class Reader {
  private at = 0;

  constructor(private readonly data: Buffer) {}

  isOver(): boolean {
    return this.at > this.data.length;
  }

  /** Big-endian, of 0 to 8 bytes; zeros beyond the end. */
  number(bytes: number): number {
    let value = 0;
    for (let index = 0; index < bytes; index++) value = value * 256 + (this.data[this.at++] ?? 0);
    return value;
  }
}
