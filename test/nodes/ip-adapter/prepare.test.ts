import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/compute/tensor.js';
import { nodeClasses } from '../../../src/nodes/index.js';
import { fixture } from '../../support/golden.js';
import { parityPicture } from '../../support/latent-workflows.js';
import { nodeContext } from '../../support/node-context.js';

/** Of tools/reference/prep_image.py. */
const prepared = JSON.parse(readFileSync(fixture('ip-adapter/prepared.json'), 'utf8')) as Record<
  string,
  string
>;

async function run(name: string, inputs: Readonly<Record<string, unknown>>): Promise<Tensor> {
  const result = (await nodeClasses.get(name)?.run(inputs as never, nodeContext())) as {
    readonly outputs: readonly [Tensor];
  };
  return result.outputs[0];
}

describe('PrepImageForClipVision makes the squares that Pillow makes', () => {
  it.each(Object.entries(prepared))('%s', async (name, digest) => {
    const [crop_position, interpolation] = name.split('.');
    const inputs = { image: parityPicture(), crop_position, interpolation, sharpening: 0 };
    const { shape, data } = await run('PrepImageForClipVision', inputs);
    expect(shape).toEqual([1, 224, 224, 3]);
    const bytes = Uint8Array.from(data, (value) => Math.round(value * 255));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest);
  });
});

describe('IPAdapterNoise', () => {
  it('is the same each time, within bounds, and a blur smooths it', async () => {
    const inputs = { type: 'gaussian', strength: 1, blur: 0, image_optional: parityPicture() };
    const first = await run('IPAdapterNoise', inputs);
    expect(first).toEqual(await run('IPAdapterNoise', inputs));
    expect(Math.min(...first.data.subarray(0, 5000))).toBeGreaterThanOrEqual(0);
    const roughness = ({ data }: Tensor) =>
      data.subarray(3).reduce((sum, value, at) => sum + Math.abs(value - data[at]!), 0);
    const blurred = await run('IPAdapterNoise', { ...inputs, blur: 8 });
    expect(roughness(blurred)).toBeLessThan(roughness(first) / 2);
  });

  it('says what it can’t do', async () => {
    await expect(run('IPAdapterNoise', { type: 'shuffle', strength: 1, blur: 0 })).rejects.toThrow(/shuffle/);
  });
});

describe('FaceID', () => {
  it('says which file is needed', async () => {
    const asked = run('IPAdapterInsightFaceLoader', { provider: 'CPU', model_name: 'buffalo_l' });
    await expect(asked).rejects.toThrow(/w600k_r50\.onnx/);
  });
});
