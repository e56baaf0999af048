/** Run-length encoded BMP data (BmpImagePlugin.py, BmpRleDecoder). */

/** Palette indices row by row, `width · height` of them or, where the data ends early, fewer; a few more where it runs over. */
export function readRuns(
  bytes: Buffer,
  start: number,
  four: boolean,
  width: number,
  height: number,
): Uint8Array {
  const needed = width * height;
  // A run is at most 255 pixels, a jump 255 rows and pixels more.
  const pixels = new Uint8Array(needed + 256 * width + 512);
  let [at, length, x] = [start, 0, 0];
  while (length < needed && at + 2 <= bytes.length) {
    const [count, value] = [bytes[at]!, bytes[at + 1]!];
    at += 2;
    if (count > 0) {
      const fits = x + count > width ? Math.max(0, width - x) : count;
      for (let i = 0; i < fits; i++)
        pixels[length++] = four ? (i % 2 === 0 ? value >> 4 : value & 15) : value;
      x += fits;
    } else if (value === 0) {
      length = Math.ceil(length / width) * width;
      x = 0;
    } else if (value === 1) break;
    else if (value === 2) {
      if (at + 2 > bytes.length) break;
      length += bytes[at]! + bytes[at + 1]! * width;
      at += 2;
      x = length % width;
    } else {
      const wanted = four ? value >> 1 : value;
      const given = bytes.subarray(at, at + wanted);
      for (const byte of given) {
        if (four) pixels[length++] = byte >> 4;
        pixels[length++] = four ? byte & 15 : byte;
      }
      at += given.length;
      if (given.length < wanted) break;
      x += value;
      at += at % 2;
    }
  }
  return pixels.subarray(0, Math.min(length, pixels.length));
}
