/** Texts of FLAC and Ogg (Vorbis comments) and MP3 (ID3v2's TXXX), as ComfyUI's SaveAudio nodes write them. */
import { addText, MAX_TEXT, type Bytes, type Texts } from './bytes.js';

export function isFlac(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'fLaC';
}

export function addFlacTexts(bytes: Bytes, texts: Texts): void {
  for (let at = 4; at + 4 <= bytes.size;) {
    const head = bytes.read(at, 4);
    const length = head.readUIntBE(1, 3);
    if ((head[0]! & 0x7f) === 4) addVorbisComments(bytes.read(at + 4, length), texts);
    if ((head[0]! & 0x80) !== 0) return;
    at += 4 + length;
  }
}

export function isOgg(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'OggS';
}

/** The second packet of the stream, which may go over many pages. */
export function addOggTexts(bytes: Bytes, texts: Texts): void {
  const packets: Buffer[][] = [[]];
  let total = 0;
  for (let at = 0; at + 27 <= bytes.size && packets.length < 3 && total < MAX_TEXT;) {
    const head = bytes.read(at, 27);
    if (!isOgg(head)) break;
    const lacing = bytes.read(at + 27, head[26]!);
    let from = at + 27 + lacing.length;
    for (const length of lacing) {
      packets.at(-1)!.push(bytes.read(from, length));
      from += length;
      total += length;
      if (length < 255) packets.push([]);
    }
    at = from;
  }
  const packet = Buffer.concat(packets[1] ?? []);
  const header = packet.toString('latin1', 0, 8) === 'OpusTags' ? 8 : 7;
  addVorbisComments(packet.subarray(header), texts);
}

/** `vendor`, then texts `KEY=text`, each with its length before it. */
function addVorbisComments(data: Buffer, texts: Texts): void {
  let at = 0;
  const next = (): number => {
    const value = at + 4 <= data.length ? data.readUInt32LE(at) : 0;
    at += 4;
    return value;
  };
  at += next();
  for (let count = next(); count > 0 && at < data.length; count--) {
    const length = next();
    const [, key, text] = /^([^=]+)=(.*)$/s.exec(data.toString('utf8', at, at + length)) ?? [];
    if (key !== undefined && text !== undefined) addText(texts, key, text);
    at += length;
  }
}

export function isId3(head: Buffer): boolean {
  return head.toString('latin1', 0, 3) === 'ID3';
}

export function addId3Texts(bytes: Bytes, texts: Texts): void {
  const head = bytes.read(0, 10);
  const sized = (data: Buffer, at: number, bits: 7 | 8) =>
    [0, 1, 2, 3].reduce((sum, index) => sum * 2 ** bits + (data[at + index] ?? 0), 0);
  const data = bytes.read(10, Math.min(sized(head, 6, 7), MAX_TEXT));
  // Version 2.4 counts in seven bits.
  const bits = head[3] === 4 ? 7 : 8;
  for (let at = 0; at + 10 <= data.length;) {
    const id = data.toString('latin1', at, at + 4);
    const length = sized(data, at + 4, bits);
    if (!/^[A-Z0-9]{4}$/.test(id) || length === 0) return;
    if (id === 'TXXX') {
      const [key, ...text] = decode(data.subarray(at + 10, at + 10 + length)).split('\0');
      addText(texts, key!, text.join('').replaceAll('\ufeff', ''));
    }
    at += 10 + length;
  }
}

/** A frame's first byte says how its text is encoded. */
function decode(frame: Buffer): string {
  const body = frame.subarray(1);
  switch (frame[0]) {
    case 1:
      return body[0] === 0xfe
        ? Buffer.from(body.subarray(2, body.length & ~1))
            .swap16()
            .toString('utf16le')
        : body.subarray(2).toString('utf16le');
    case 2:
      return Buffer.from(body.subarray(0, body.length & ~1))
        .swap16()
        .toString('utf16le');
    case 3:
      return body.toString('utf8');
    default:
      return body.toString('latin1');
  }
}
