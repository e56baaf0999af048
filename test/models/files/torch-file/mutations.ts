/** `count` damaged copies of a file: bits turned, bytes overwritten, runs removed, copied or blown up, ends cut off. */
export function* mutations(original: Uint8Array, count: number): Generator<Uint8Array> {
  let state = 0x9e3779b9 ^ original.length;
  const random = (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 12)) >>> 0) % below;
  };
  for (let index = 0; index < count; index++) {
    let bytes = Buffer.from(original);
    const changes = 1 + random(4);
    for (let change = 0; change < changes && bytes.length > 16; change++) {
      const at = random(bytes.length);
      const length = Math.min(1 + random(24), bytes.length - at);
      switch (random(7)) {
        case 0:
          bytes[at]! ^= 1 << random(8);
          break;
        case 1:
          bytes[at] = random(256);
          break;
        case 2:
          bytes.fill(0xff, at, at + Math.min(length, 8));
          break;
        case 3:
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
          break;
        case 4:
          bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
          break;
        case 5:
          bytes.copy(bytes, random(bytes.length), at, at + length);
          break;
        default:
          bytes = Buffer.from(bytes.subarray(0, at));
      }
    }
    yield bytes;
  }
}
