import { describe, expect, it } from 'vitest';
import { packPixels, unpackPixels } from '../../../src/native/addon.js';

describe('pixels', () => {
  it('become floats and come back, all of them', () => {
    for (const pixels of [
      Uint8Array.from({ length: 256 }, (_, i) => i),
      Uint16Array.from({ length: 65536 }, (_, i) => i),
    ]) {
      const white = pixels.length - 1;
      const values = unpackPixels(pixels);
      expect(values).toEqual(Float32Array.from(pixels, (value) => value / white));
      const back = pixels.slice().fill(7);
      packPixels(values, 0, back);
      expect(back).toEqual(pixels);
    }
  });

  it('are rounded half up and cut off', () => {
    const values = Float32Array.of(
      9,
      -1,
      0.5 / 255,
      0.49 / 255,
      254.5 / 255,
      1.5,
      NaN,
      Infinity,
      -Infinity,
      9,
    );
    const into = new Uint8Array(8);
    packPixels(values, 1, into);
    expect([...into]).toEqual([0, 1, 0, 255, 255, 0, 255, 0]);
    const deep = new Uint16Array(3);
    packPixels(Float32Array.of(NaN, 2, 0.25), 0, deep);
    expect([...deep]).toEqual([0, 65535, 16384]);
  });

  it('are checked at the door', () => {
    const values = new Float32Array(4);
    expect(() => {
      packPixels(values, 1, new Uint8Array(4));
    }).toThrow(new RangeError('values has 4 elements, too few for 4 from 1 on'));
    expect(() => unpackPixels(values as unknown as Uint8Array)).toThrow(
      new TypeError('pixels must be a Uint8Array or a Uint16Array'),
    );
    expect(() => {
      packPixels(new Uint8Array(4) as unknown as Float32Array, 0, new Uint8Array(4));
    }).toThrow(TypeError);
  });
});
