/**
 * A look over a MessagePack message before it is decoded. A header of five bytes may announce four billion elements, and the
 * decoder would make room for them; here every element announced must have its byte in the message.
 */

/** What a message is instead of one whole MessagePack value, of at most `maxValues` in all; undefined when it is that. */
export function structureFault(bytes: Uint8Array, maxValues = Infinity): string | undefined {
  const end = bytes.byteLength;
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  let at = 0;
  /** Values announced and not yet seen. */
  let expected = 1;
  for (let seen = 0; expected > 0; seen++) {
    if (expected > end - at) return `not MessagePack: it ends within a value (byte ${end})`;
    if (seen + expected > maxValues) return `too large: it has more than ${maxValues} values`;
    const head = bytes[at]!;
    const { header, payload, values } = sizesOf(head, view, at);
    if (header < 0) return `not MessagePack: byte ${at} is 0x${head.toString(16)}, which begins no value`;
    at += header + payload;
    if (at > end) return `not MessagePack: it ends within a value (byte ${end})`;
    expected += values - 1;
  }
  return at === end ? undefined : `not MessagePack: ${end - at} bytes follow its value`;
}

interface Sizes {
  /** Bytes of the head and of the lengths after it; negative when there is no such head. */
  readonly header: number;
  /** Bytes of text, binary or number. */
  readonly payload: number;
  /** Values inside an array or map. */
  readonly values: number;
}

const NO_VALUE: Sizes = { header: -1, payload: 0, values: 0 };
const SCALARS: readonly Sizes[] = Array.from({ length: 9 }, (_, payload) => ({
  header: 1,
  payload,
  values: 0,
}));

/** The MessagePack specification's format table. */
function sizesOf(head: number, view: DataView, at: number): Sizes {
  if (head < 0x80 || head >= 0xe0) return SCALARS[0]!;
  if (head < 0x90) return { header: 1, payload: 0, values: 2 * (head & 0x0f) };
  if (head < 0xa0) return { header: 1, payload: 0, values: head & 0x0f };
  if (head < 0xc0) return { header: 1, payload: head & 0x1f, values: 0 };
  switch (head) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return SCALARS[0]!;
    case 0xcc:
    case 0xd0:
      return SCALARS[1]!;
    case 0xcd:
    case 0xd1:
      return SCALARS[2]!;
    case 0xca:
    case 0xce:
    case 0xd2:
      return SCALARS[4]!;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return SCALARS[8]!;
    case 0xc4:
    case 0xd9:
      return { header: 2, payload: length(view, at, 1), values: 0 };
    case 0xc5:
    case 0xda:
      return { header: 3, payload: length(view, at, 2), values: 0 };
    case 0xc6:
    case 0xdb:
      return { header: 5, payload: length(view, at, 4), values: 0 };
    case 0xc7:
      return { header: 3, payload: length(view, at, 1), values: 0 };
    case 0xc8:
      return { header: 4, payload: length(view, at, 2), values: 0 };
    case 0xc9:
      return { header: 6, payload: length(view, at, 4), values: 0 };
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return { header: 2, payload: 1 << (head - 0xd4), values: 0 };
    case 0xdc:
      return { header: 3, payload: 0, values: length(view, at, 2) };
    case 0xdd:
      return { header: 5, payload: 0, values: length(view, at, 4) };
    case 0xde:
      return { header: 3, payload: 0, values: 2 * length(view, at, 2) };
    case 0xdf:
      return { header: 5, payload: 0, values: 2 * length(view, at, 4) };
    default:
      return NO_VALUE;
  }
}

/** The big-endian length after a head; one that lies beyond the message's end is 0, and the caller sees the end itself. */
function length(view: DataView, at: number, width: 1 | 2 | 4): number {
  if (at + 1 + width > view.byteLength) return 0;
  if (width === 1) return view.getUint8(at + 1);
  return width === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1);
}
