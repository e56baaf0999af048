import { describe, expect, it } from 'vitest';
import { tensor as tensorOf, type Tensor } from '../../src/compute/tensor.js';
import { mapValues } from '../../src/imaging/tensor-ops.js';
import { greyImage } from '../../src/imaging/channels.js';
import { nodeClasses } from '../../src/nodes/index.js';
import { nodeContext } from '../support/node-context.js';
import { referenceCases } from '../support/reference-cases.js';

interface Case {
  readonly node: string;
  readonly image: string;
  readonly inputs: Readonly<Record<string, string | number>>;
  readonly result: string;
}

const { cases, tensor } = referenceCases<Case>('preprocessors/pictures.safetensors');

/** Classes whose every pixel is as the reference's; of others one in a thousand may be off by more than 1. */
const EXACT = /Canny|Scribble|Binary|AIO/;

async function hintOf({ node, image, inputs }: Case): Promise<Tensor> {
  const picture = mapValues(tensor(image), (value) => value / 255);
  const seed = 'seed' in inputs ? { seed: BigInt(inputs['seed']) } : {};
  const { outputs } = (await nodeClasses
    .get(node)!
    .run({ ...inputs, ...seed, image: picture } as never, nodeContext())) as { outputs: readonly [Tensor] };
  return outputs[0];
}

const asMask = (grey: Tensor) => tensorOf(grey.shape.slice(0, 3), grey.data);

describe("hints made by arithmetic are comfyui_controlnet_aux's", () => {
  it.each([...new Set(cases.map(({ node }) => node))])('%s', async (name) => {
    for (const each of cases.filter(({ node }) => node === name)) {
      const hint = await hintOf(each);
      const kept = tensor(each.result);
      const expected = kept.shape[3] === 1 ? greyImage(asMask(kept)) : kept;
      expect(hint.shape).toEqual(expected.shape);
      const errors = hint.data.map((value, at) => Math.abs(Math.round(value * 255) - expected.data[at]!));
      const label = JSON.stringify(each.inputs);
      const off = errors.filter((error) => error > (EXACT.test(name) ? 0 : 1)).length;
      expect(off / errors.length, label).toBeLessThanOrEqual(EXACT.test(name) ? 0 : 1e-3);
      if (!EXACT.test(name)) expect(Math.max(...errors), label).toBeLessThanOrEqual(2);
    }
  });
});
