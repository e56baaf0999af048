import { describe, expect, it } from 'vitest';
import { bislerp, lanczos, resize, type ResizeMode } from '../../../src/native/addon.js';

const values = Float32Array.from({ length: 24 }, (_, index) => index / 24);

describe('resampling checks its arguments', () => {
  it('refuses extents that are no sizes', () => {
    for (const extent of [0, -1, 1.5, NaN, Infinity, 2 ** 20 + 1]) {
      expect(() => resize(values, 1, 3, 2, 4, extent, 4, 'area')).toThrow(/toHeight must be/);
      expect(() => lanczos(values, extent, 3, 2, 4, 4, 4)).toThrow(/outer must be/);
    }
    expect(() => bislerp(values, 1, 3, 2, '4' as never, 4, 4)).toThrow(/width must be a number/);
  });

  it('refuses values of another length than the extents say', () => {
    expect(() => resize(values, 2, 3, 2, 4, 4, 4, 'area')).toThrow(
      /values has 24 elements, its extents say 2×3×2×4/,
    );
    expect(() => bislerp(values, 2 ** 20, 2 ** 20, 2 ** 20, 2 ** 20, 4, 4)).toThrow(RangeError);
    expect(() => lanczos([...values] as never, 1, 3, 2, 4, 4, 4)).toThrow(/values must be a Float32Array/);
  });

  it('refuses unknown modes and pictures that Pillow has no mode for', () => {
    expect(() => resize(values, 1, 3, 2, 4, 4, 4, 'nearest' as ResizeMode)).toThrow(
      /mode must be .*got nearest/,
    );
    expect(() => lanczos(values, 1, 2, 3, 4, 4, 4)).toThrow(/lanczos needs 3 or 4 channels, got 2/);
  });

  it('leaves its input alone', () => {
    const before = values.slice();
    resize(values, 1, 3, 2, 4, 5, 7, 'bicubic');
    lanczos(values, 1, 3, 2, 4, 5, 7);
    bislerp(values, 1, 3, 2, 4, 5, 7);
    expect(values).toEqual(before);
  });
});
