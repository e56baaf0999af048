import { expect, it } from 'vitest';
import { tensor } from '../../src/compute/tensor.js';
import { warningOfNaN } from '../../src/workflow/not-a-number.js';

const sound = () => tensor([3], Float32Array.of(1, Infinity, -2));
const broken = () => tensor([3], Float32Array.of(1, NaN, -2));

it('names the outputs that hold NaN', () => {
  expect(warningOfNaN(['IMAGE', 'MASK'], {}, [broken(), sound()])).toMatch(/^IMAGE holds NaN/);
  expect(warningOfNaN(['LATENT'], { samples: sound() }, [{ samples: broken() }])).toMatch(
    /^LATENT holds NaN/,
  );
  expect(warningOfNaN(['A', 'B'], {}, [[{ cond: sound(), pooled: broken() }], broken()])).toMatch(
    /^A and B hold/,
  );
});

it('is silent for sound results, models and numbers', () => {
  const model = { predict: () => broken() };
  expect(warningOfNaN(['A', 'B', 'C', 'D'], {}, [sound(), { samples: sound() }, model, NaN])).toBeUndefined();
});

it('names the node where it arises alone', () => {
  const latent = { samples: broken() };
  expect(warningOfNaN(['LATENT'], {}, [latent])).toBeDefined();
  const image = broken();
  expect(warningOfNaN(['IMAGE'], { samples: latent, seed: 7 }, [image])).toBeUndefined();
  expect(warningOfNaN(['IMAGE'], { image }, [broken()])).toBeUndefined();
});
