/** Which MessagePack family each field of a map is of, as a client that decodes strictly sees it. */

/** A list or map shows what is in it. */
export type WireType = string | readonly WireType[] | { readonly [key: string]: WireType };

const FIXED: Readonly<Record<number, readonly [type: string, bytes: number]>> = {
  0xc0: ['nil', 0],
  0xc2: ['bool', 0],
  0xc3: ['bool', 0],
  0xca: ['float', 4],
  0xcb: ['float', 8],
  0xcc: ['uint', 1],
  0xcd: ['uint', 2],
  0xce: ['uint', 4],
  0xcf: ['uint', 8],
  0xd0: ['int', 1],
  0xd1: ['int', 2],
  0xd2: ['int', 4],
  0xd3: ['int', 8],
};

/** The types of a whole message; throws for heads that the protocol has no use for. */
export function wireTypes(message: Uint8Array): WireType {
  const bytes = Buffer.from(message);
  let at = 0;
  const uint = (width: number): number => {
    at += width;
    return bytes.readUIntBE(at - width, width);
  };
  const text = (length: number): string => {
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const list = (length: number): WireType[] => Array.from({ length }, () => value().type);
  const map = (length: number): Record<string, WireType> =>
    Object.fromEntries(Array.from({ length }, () => [value().text ?? '', value().type]));
  const value = (): { readonly type: WireType; readonly text?: string } => {
    const head = uint(1);
    if (head < 0x80) return { type: 'uint' };
    if (head < 0x90) return { type: map(head & 0x0f) };
    if (head < 0xa0) return { type: list(head & 0x0f) };
    if (head < 0xc0) return { type: 'str', text: text(head & 0x1f) };
    if (head >= 0xe0) return { type: 'int' };
    if (head >= 0xd9 && head <= 0xdb) return { type: 'str', text: text(uint(2 ** (head - 0xd9))) };
    if (head === 0xdc || head === 0xdd) return { type: list(uint(head === 0xdc ? 2 : 4)) };
    if (head === 0xde || head === 0xdf) return { type: map(uint(head === 0xde ? 2 : 4)) };
    const fixed = FIXED[head];
    if (fixed === undefined) throw new Error(`head 0x${head.toString(16)} in a message of the daemon`);
    at += fixed[1];
    return { type: fixed[0] };
  };
  return value().type;
}
