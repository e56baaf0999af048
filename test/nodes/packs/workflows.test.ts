import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/compute/tensor.js';
import { defineNode, link } from '../../../src/nodes/definition.js';
import {
  BBOX_DETECTOR,
  dilatedSegs,
  maskToSegs,
  SEGM_DETECTOR,
  type Detector,
} from '../../../src/nodes/packs/impact/segs.js';
import { relativeRms } from '../../support/golden.js';
import { openLatentEngine, type LatentEngine, type WorkflowCase } from '../../support/latent-workflows.js';
import { referenceCases } from '../../support/reference-cases.js';

/** Of tools/reference/pack_workflows.py. */
const { cases, tensor } = referenceCases<WorkflowCase>('nodes/pack-workflows.safetensors');

/** Finds the shapes of a mask, in any picture: with their boxes filled, and their outlines. */
const maskDetector = defineNode({
  name: 'MaskDetector',
  displayName: 'MaskDetector',
  category: 'test',
  description: '',
  required: { mask: link('MASK') },
  optional: {},
  outputs: [
    { type: BBOX_DETECTOR, name: 'bbox' },
    { type: SEGM_DETECTOR, name: 'segm' },
  ],
  run({ mask }) {
    const finding = (fillsBox: boolean): Detector => ({
      detect(_, { cropFactor, dropSize, dilation }) {
        const options = { combined: false, cropFactor, dropSize, fillsBox, fillsContour: true };
        return Promise.resolve(dilatedSegs(maskToSegs(mask, options), fillsBox ? dilation : 0));
      },
      detectCombined: () => Promise.resolve(mask),
    });
    return { outputs: [finding(true), finding(false)] };
  },
});

let tiny: LatentEngine;
beforeAll(async () => {
  tiny = await openLatentEngine({}, [maskDetector]);
});
afterAll(() => tiny.close());

/** Every third pixel of every third row, as the fixture keeps pictures, in half precision. */
function thinned({ shape: [count = 0, height = 0, width = 0, channels = 0], data }: Tensor): number[] {
  const kept: number[] = [];
  for (let row = 0; row < count * height; row++) {
    if ((row % height) % 3 !== 0) continue;
    for (let x = 0; x < width; x += 3) {
      const at = (row * width + x) * channels;
      kept.push(...data.subarray(at, at + channels));
    }
  }
  return kept;
}

/** Pictures that are cut to bytes between two samplings differ by a level where a value lies between two. */
function expectAlike(values: readonly number[], expected: Float32Array): void {
  expect(values).toHaveLength(expected.length);
  const levels = values.map((value, at) => Math.abs(value - expected[at]!) * 255);
  expect(Math.max(...levels)).toBeLessThan(2.2);
  expect(levels.filter((level) => level > 1.2).length).toBeLessThan(levels.length / 250);
}

describe('packs make of whole workflows what the packs of their names do', () => {
  it.each(cases.map((item) => [item.name, item] as const))('%s', async (_, { workflow, saved }) => {
    const kept = await tiny.latents(workflow);
    for (const [node, name] of Object.entries(saved)) {
      const [own, expected] = [kept.get(node)!, tensor(name)];
      // Pictures have their channels last.
      if (own.shape.at(-1) === 3) expectAlike(thinned(own), expected.data);
      else expect(relativeRms(own, expected)).toBeLessThan(2e-5);
    }
  });
});
