import { expect, it } from 'vitest';
import { roundToHalf } from '../../../src/models/weights/rounding.js';
import { narrowToF16 } from '../../../src/native/addon.js';

it('rounds to what half precision can hold, as the addon does', () => {
  // Every exponent and sign, the mantissa bits that decide a tie and some around them.
  const patterns: number[] = [];
  for (let high = 0; high < 1 << 16; high += 1) {
    for (const low of [0x0000, 0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x8000, 0xf000]) {
      patterns.push(((high << 16) | low) >>> 0);
    }
  }
  const exact = new Float32Array(Uint32Array.from(patterns).buffer);
  const values = exact.slice();
  roundToHalf(values);
  const expected = narrowToF16(exact);
  const again = narrowToF16(values);
  for (let index = 0; index < patterns.length; index++) {
    if (Number.isNaN(exact[index]!)) expect(values[index]).toBeNaN();
    else if (again[index] !== expected[index] || values[index] !== widened(expected[index]!)) {
      expect.fail(`${exact[index]!} became ${values[index]!}, not ${widened(expected[index]!)}`);
    }
  }
});

/** The value of a half's bits. */
function widened(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return sign * Infinity;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}
