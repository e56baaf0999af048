/** Texts of WebM and Matroska: `Tags` of the segment (RFC 9559), whose names ffmpeg writes in capitals. */
import { addText, MAX_TEXT, type Bytes, type Texts } from './bytes.js';

const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const TAGS = 0x1254c367;
const TAG = 0x7373;
const SIMPLE_TAG = 0x67c8;
const TAG_NAME = 0x45a3;
const TAG_STRING = 0x4487;
const MAX_ELEMENTS = 1_000_000;

export function isMatroska(head: Buffer): boolean {
  return head.readUInt32BE(0) === 0x1a45dfa3;
}

interface Element {
  readonly id: number;
  readonly start: number;
  /** Where it ends, or undefined for one that goes on until the next of its level. */
  readonly end: number | undefined;
}

function elementAt(bytes: Bytes, at: number, limit: number): Element | undefined {
  const head = bytes.read(at, 12);
  const idLength = head.length < 2 ? 0 : Math.clz32(head[0]!) - 23;
  if (idLength < 1 || idLength > 4 || head.length <= idLength) return undefined;
  const id = head.readUIntBE(0, idLength);
  const sizeLength = Math.clz32(head[idLength]!) - 23;
  if (sizeLength > 8 || head.length < idLength + sizeLength) return undefined;
  let size = head[idLength]! & (0xff >> sizeLength);
  let isUnknown = size === 0xff >> sizeLength;
  for (let index = 1; index < sizeLength; index++) {
    const byte = head[idLength + index]!;
    size = size * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  const start = at + idLength + sizeLength;
  return { id, start, end: isUnknown ? undefined : Math.min(limit, start + size) };
}

function* elements(bytes: Bytes, start: number, end: number): Generator<Element> {
  let at = start;
  for (let count = 0; at < end && count < MAX_ELEMENTS; count++) {
    const element = elementAt(bytes, at, end);
    if (element === undefined) return;
    yield element;
    // A cluster or segment without a size is gone into: what is in it is passed over one by one.
    at = element.end ?? element.start;
  }
}

export function addMatroskaTexts(bytes: Bytes, texts: Texts): void {
  for (const top of elements(bytes, 0, bytes.size)) {
    if (top.id !== SEGMENT) continue;
    for (const part of elements(bytes, top.start, top.end ?? bytes.size)) {
      if (part.id === TAGS && part.end !== undefined) addTags(bytes, part.start, part.end, texts);
      if (part.id === CLUSTER && texts.has('prompt')) return;
    }
    return;
  }
}

function addTags(bytes: Bytes, start: number, end: number, texts: Texts): void {
  for (const tag of elements(bytes, start, end)) {
    if (tag.id !== TAG || tag.end === undefined) continue;
    for (const simple of elements(bytes, tag.start, tag.end)) {
      if (simple.id !== SIMPLE_TAG || simple.end === undefined) continue;
      let [name, text]: (string | undefined)[] = [];
      for (const { id, start: from, end: to } of elements(bytes, simple.start, simple.end)) {
        if (to === undefined || to - from > MAX_TEXT) continue;
        if (id === TAG_NAME) name = bytes.read(from, to - from).toString('utf8');
        else if (id === TAG_STRING) text = bytes.read(from, to - from).toString('utf8');
      }
      if (name !== undefined && text !== undefined) addText(texts, name, text.replace(/\0+$/, ''));
    }
  }
}
