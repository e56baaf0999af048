/**
 * Texts of an EXIF block. ComfyUI's SaveAnimatedWEBP keeps `prompt:{…}` in Model and `workflow:{…}` in Make and the tags before
 * it; A1111 keeps its parameters in UserComment; packs that save JPEGs, either, or JSON of both.
 */
import { addText, type Texts } from './bytes.js';

const ASCII = 2;
const UNDEFINED = 7;
const EXIF_IFD = 0x8769;
const USER_COMMENT = 0x9286;
const MAX_ENTRIES = 500;

/** `block` begins with the TIFF header, or with `Exif\0\0` before it. What is damaged has no texts. */
export function addExifTexts(block: Buffer, texts: Texts): void {
  const data = block.toString('latin1', 0, 6) === 'Exif\0\0' ? block.subarray(6) : block;
  const order = data.toString('latin1', 0, 2);
  if ((order !== 'II' && order !== 'MM') || data.length < 8) return;
  new Tiff(data, order === 'II', texts).readFrom(4);
}

class Tiff {
  constructor(
    private readonly data: Buffer,
    private readonly little: boolean,
    private readonly texts: Texts,
  ) {}

  /** Reads the directory that an offset points to, and the one of EXIF's own tags in it. */
  readFrom(pointer: number): void {
    const pending = [this.u32(pointer)];
    const seen = new Set<number>();
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      const count = Math.min(this.u16(at), MAX_ENTRIES);
      for (let entry = at + 2; entry < at + 2 + 12 * count; entry += 12) {
        const tag = this.u16(entry);
        if (tag === EXIF_IFD) pending.push(this.u32(entry + 8));
        else this.readText(tag, entry);
      }
    }
  }

  private readText(tag: number, entry: number): void {
    const type = this.u16(entry + 2);
    if (type !== ASCII && type !== UNDEFINED) return;
    const length = this.u32(entry + 4);
    const at = length <= 4 ? entry + 8 : this.u32(entry + 8);
    const value = this.data.subarray(at, at + length);
    if (tag === USER_COMMENT) addComment(commentOf(value), this.texts);
    else if (type === ASCII) addComment(value.toString('utf8').replace(/\0+$/, ''), this.texts);
  }

  private u16(at: number): number {
    if (at < 0 || at + 2 > this.data.length) return 0;
    return this.little ? this.data.readUInt16LE(at) : this.data.readUInt16BE(at);
  }

  private u32(at: number): number {
    if (at < 0 || at + 4 > this.data.length) return 0;
    return this.little ? this.data.readUInt32LE(at) : this.data.readUInt32BE(at);
  }
}

/** A comment says what its characters are in its first eight bytes. */
function commentOf(value: Buffer): string {
  const kind = value.toString('latin1', 0, 8);
  const body = value.subarray(8);
  if (kind === 'UNICODE\0') {
    // Big-endian by the standard and by piexif, which A1111 writes with; little-endian by some: text is mostly below U+0100.
    const even = body.subarray(0, body.length & ~1);
    return (body[0] === 0 ? Buffer.from(even).swap16() : even).toString('utf16le').replace(/\0+$/, '');
  }
  return (/^(ASCII\0\0\0|JIS\0{5}|\0{8})$/.test(kind) ? body : value).toString('utf8').replace(/\0+$/, '');
}

/**
 * A text without a key of its own: `prompt:{…}`, JSON with `prompt` and `workflow` in it, or A1111's parameters. Anything else
 * is not about workflows.
 */
export function addComment(text: string, texts: Texts): void {
  const keyed = /^\s*(prompt|workflow)\s*:\s*(?=[{["])/i.exec(text);
  if (keyed !== null) {
    addText(texts, keyed[1]!, text.slice(keyed[0].length));
    return;
  }
  if (/^\s*\{/.test(text)) {
    addText(texts, 'comment', text);
    return;
  }
  if (/(^|\n|,\s*)Steps:\s*\d+/.test(text)) addText(texts, 'parameters', text);
}
