/** Float32 rounded to what a half holds, as torch does. */

const signBit = 0x80000000;
const smallestNormal = 0x38800000; // 2⁻¹⁴
const firstInfinite = 0x477ff000; // 65520, halfway between the largest half and the next power of two
const infinity = 0x7f800000;

/** Rounds float32 values in place to the nearest float16, ties to even; beyond its range they become infinite. */
export function roundToHalf(values: Float32Array): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < bits.length; index++) {
    const word = bits[index]!;
    const magnitude = word & ~signBit;
    if (magnitude < smallestNormal) {
      // Subnormal halves are multiples of 2⁻²⁴, which is float32's own spacing just below 1.
      const sum = Math.fround(Math.abs(values[index]!) + 0.75);
      values[index] = word < 0 ? -(sum - 0.75) : sum - 0.75;
    } else if (magnitude < firstInfinite) {
      // A half keeps 10 of the 23 bits of mantissa; a carry into the exponent is right too.
      bits[index] = (word + 0xfff + ((word >> 13) & 1)) & ~0x1fff;
    } else if (magnitude <= infinity) {
      bits[index] = (word & signBit) | infinity;
    }
  }
}

/** Rounds float32 values in place to the nearest bfloat16, ties to even; what is no number stays none. */
export function roundToBfloat16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < bits.length; index++) {
    const word = bits[index]!;
    if ((word & 0x7fffffff) <= 0x7f800000) bits[index] = (word + 0x7fff + ((word >>> 16) & 1)) & ~0xffff;
  }
}
