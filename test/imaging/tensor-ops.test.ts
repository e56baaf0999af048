import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/compute/tensor.js';
import { rgbOf } from '../../src/imaging/channels.js';
import { crop, IMAGE_ROWS, paste } from '../../src/imaging/planes.js';
import { encodePng } from '../../src/imaging/png.js';
import { roundHalfEven } from '../../src/imaging/rounding.js';
import { combineValues, concatRows, resizeBatch } from '../../src/imaging/tensor-ops.js';

describe('roundHalfEven', () => {
  it("rounds as Python's round does", () => {
    const given = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999999, 0.49999999999999994, 7];
    expect(given.map(roundHalfEven).map((value) => value + 0)).toEqual([-2, -2, 0, 0, 2, 2, 2, 0, 7]);
  });
});

describe('batches', () => {
  it('are cut off or begun again', () => {
    const rows = tensor([3, 1], Float32Array.of(1, 2, 3));
    expect([...resizeBatch(rows, 5).data]).toEqual([1, 2, 3, 1, 2]);
    expect([...resizeBatch(rows, 2).data]).toEqual([1, 2]);
    expect(resizeBatch(rows, 3)).toBe(rows);
  });

  it('go together when one is single or both are as long', () => {
    const pair = tensor([2, 2], Float32Array.of(1, 2, 3, 4));
    const single = tensor([1, 2], Float32Array.of(10, 20));
    const add = (a: number, b: number) => a + b;
    expect([...combineValues(single, pair, add).data]).toEqual([11, 22, 13, 24]);
    expect(() => combineValues(pair, tensor([3, 2]), add)).toThrow(/can't combine \[2, 2\] with \[3, 2\]/);
    expect(() => concatRows(pair, tensor([2, 3]))).toThrow(/can't put \[2, 3\] in one batch with \[2, 2\]/);
  });
});

describe('planes', () => {
  const picture = tensor([1, 2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));

  it('are cropped to what is there', () => {
    expect(crop(picture, IMAGE_ROWS, { y: 1, x: 2, height: 5, width: 5 })).toEqual(
      tensor([1, 1, 1], Float32Array.of(6)),
    );
    expect(crop(picture, IMAGE_ROWS, { y: 4, x: 0, height: 1, width: 1 }).shape).toEqual([1, 0, 1]);
  });

  it('are pasted as far as they reach', () => {
    const patch = tensor([1, 2, 2], Float32Array.of(7, 8, 9, 10));
    expect([...paste(picture, patch, IMAGE_ROWS, 1, 2).data]).toEqual([1, 2, 3, 4, 5, 7]);
    expect(() => paste(picture, tensor([2, 1, 1]), IMAGE_ROWS, 0, 0)).toThrow(/can't lay \[2, 1, 1\] over/);
    expect(() => crop(tensor([4]), IMAGE_ROWS, { y: 0, x: 0, height: 1, width: 1 })).toThrow(/no rows/);
  });
});

describe('channels', () => {
  it('beyond RGB are left off', () => {
    expect([...rgbOf(tensor([1, 1, 2, 4], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8))).data]).toEqual([
      1, 2, 3, 5, 6, 7,
    ]);
    expect(() => rgbOf(tensor([1, 1, 2, 1]))).toThrow(/an RGB image is needed, this one has 1 channels/);
  });
});

describe('PNG texts', () => {
  const picture = { width: 1, height: 1, channels: 3, data: new Uint8Array(3) };
  it.each(['', 'a\nb', '繊', 'x'.repeat(80)])('have keywords that PNG allows, not %j', async (keyword) => {
    await expect(encodePng(picture, { compressionLevel: 4, texts: { [keyword]: 'x' } })).rejects.toThrow(
      /can't be a PNG text's keyword/,
    );
  });
});
