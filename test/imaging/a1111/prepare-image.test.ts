import { describe, expect, test } from 'vitest';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { greyImage } from '../../../src/imaging/channels.js';
import { maskOf, onWhite, pasteDrawn, prepareImage } from '../../../src/imaging/a1111/prepare-image.js';
import { referenceCases } from '../../support/reference-cases.js';

/** tools/reference/a1111_inpaint.py */
interface Inpainted {
  readonly width: number;
  readonly height: number;
  readonly fit: 'stretch' | 'crop' | 'fill';
  readonly blurX: number;
  readonly blurY: number;
  readonly fills: boolean;
  readonly padding: number | null;
  readonly invert: boolean;
  readonly image: string;
  readonly mask: string;
  readonly prepared: string;
  readonly preparedMask: string;
  readonly drawn: string;
  readonly result: string;
}

const { cases, tensor: golden } = referenceCases<Inpainted>('imaging/a1111-inpaint.safetensors');

/** Bytes, H×W×3 or H×W, as values of [0, 1] with a batch of one. */
function picture(name: string): Tensor {
  const { shape, data } = golden(name);
  return tensor(
    [1, ...shape],
    data.map((byte) => byte / 255),
  );
}

/** In bytes: the largest difference, and the mean. */
function differenceOf(actual: Tensor, expected: Tensor) {
  expect(actual.shape).toEqual(expected.shape);
  const differences = actual.data.map((value, at) => Math.abs(value - expected.data[at]!) * 255);
  return {
    most: Math.max(...differences),
    mean: differences.reduce((a, b) => a + b, 0) / differences.length,
  };
}

describe.each(cases.map((each, index) => [index, each] as const))('case %i: %j', (_, each) => {
  const grey = picture(each.mask);
  const rgb = greyImage(grey);
  const prepared = prepareImage(
    picture(each.image),
    { width: each.width, height: each.height, fit: each.fit },
    {
      mask: maskOf(rgb, undefined, each.invert),
      blurX: each.blurX,
      blurY: each.blurY,
      fills: each.fills,
      padding: each.padding ?? undefined,
    },
  );

  test('the picture that is drawn over', () => {
    const { most, mean } = differenceOf(prepared.image, picture(each.prepared));
    // Pillow's blurs round to bytes four times over, and what is filled is divided by what is left.
    expect(most).toBeLessThanOrEqual(each.fills ? 8 : 1);
    expect(mean).toBeLessThanOrEqual(each.fills ? 1.25 : 0.01);
  });

  test('the mask', () => {
    expect(differenceOf(prepared.mask, picture(each.preparedMask)).most).toBeLessThanOrEqual(2.001);
  });

  test('what was drawn, in its place', () => {
    const result = pasteDrawn(picture(each.drawn), prepared.overlay!);
    expect(differenceOf(result, picture(each.result)).most).toBeLessThanOrEqual(3);
  });
});

test('a mask of nothing is none, and one of transparency counts before its colours', () => {
  const black = tensor([1, 4, 4, 3]);
  const drawn = { width: 16, height: 16, fit: 'stretch' } as const;
  const inpainting = { blurX: 0, blurY: 0, fills: true, padding: 0 };
  const none = prepareImage(black, drawn, { ...inpainting, mask: maskOf(black, undefined, false) });
  expect(none.overlay).toBeUndefined();
  expect(none.latentMask).toEqual(tensor([1, 2, 2], new Float32Array([1, 1, 1, 1])));

  const transparency = tensor([1, 4, 4]);
  transparency.data.fill(1, 0, 8);
  expect([...maskOf(black, transparency, false).data]).toEqual([
    ...Array<number>(8).fill(0),
    ...Array<number>(8).fill(1),
  ]);
  expect([...maskOf(black, transparency, true).data]).toEqual([
    ...Array<number>(8).fill(1),
    ...Array<number>(8).fill(0),
  ]);
  // Load Image's mask of a picture that has no transparency.
  expect(maskOf(black, tensor([1, 64, 64]), false).data.every((value) => value === 0)).toBe(true);
});

test('pictures are laid on white', () => {
  const transparency = tensor([1, 1, 2], new Float32Array([1, 0.5]));
  const flat = onWhite(tensor([1, 1, 2, 3]), transparency);
  expect([...flat.data]).toEqual([1, 1, 1, 0.5, 0.5, 0.5]);
});
