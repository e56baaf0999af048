import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import { conditioningAverage, conditioningConcat } from '../../src/nodes/conditioning/conditioning.js';
import { imageScaleBy } from '../../src/nodes/image/resize.js';
import { vaeEncodeForInpaint } from '../../src/nodes/latent/inpainting.js';
import { latentComposite } from '../../src/nodes/latent/composite.js';
import { latentInterpolate } from '../../src/nodes/latent/blend.js';
import { loraLoader } from '../../src/nodes/loaders/lora.js';
import { imageToMask } from '../../src/nodes/mask/masks.js';
import { nodeContext } from '../support/node-context.js';

const latent = (...shape: number[]) => ({ samples: tensor(shape) });

describe('nodes say what does not fit', () => {
  const context = () => nodeContext();

  it('LatentInterpolate: batches that ComfyUI fails on', () => {
    const inputs = { samples1: latent(2, 4, 3, 3), samples2: latent(1, 4, 3, 3), ratio: 0.5 };
    expect(() => latentInterpolate.run(inputs, context())).toThrow(
      /takes one latent at a time \(or 4\), got a batch of 2/,
    );
  });

  it('LatentComposite: more pictures than there are under them', () => {
    const inputs = {
      samples_to: latent(1, 4, 8, 8),
      samples_from: latent(2, 4, 8, 8),
      x: 0,
      y: 0,
      feather: 0,
    };
    expect(() => latentComposite.run(inputs, context())).toThrow(
      /can't lay \[2, 4, 8, 8\] over \[1, 4, 8, 8\]/,
    );
  });

  it('ConditioningConcat: text encoders of different widths', () => {
    const entry = (features: number) => [{ cond: tensor([1, 2, features]) }];
    const inputs = { conditioning_to: entry(768), conditioning_from: entry(2048) };
    expect(() => conditioningConcat.run(inputs, context())).toThrow(/are they from different text encoders/);
  });

  it('ConditioningAverage: nothing to take from', () => {
    const inputs = { conditioning_to: [], conditioning_from: [], conditioning_to_strength: 1 };
    expect(() => conditioningAverage.run(inputs, context())).toThrow(/conditioning_from holds no entry/);
  });

  it('ImageToMask: a channel that is not there', () => {
    expect(() => imageToMask.run({ image: tensor([1, 2, 2, 3]), channel: 'alpha' }, context())).toThrow(
      /the image has 3 channels, alpha is not among them/,
    );
  });

  it('ImageScaleBy: a scale that leaves no pixel', () => {
    const inputs = { image: tensor([1, 2, 2, 3]), upscale_method: 'area', scale_by: 0.1 } as const;
    expect(() => imageScaleBy.run(inputs, context())).toThrow(/can't resize to 0×0/);
  });

  it('VAEEncodeForInpaint: masks that are neither one nor one for each image', async () => {
    const vae = {
      identity: 'none',
      downscale: 8,
      latentChannels: 4,
      decode: (samples: Tensor) => Promise.resolve(samples),
      encode: (image: Tensor) => Promise.resolve(image),
    };
    const inputs = { pixels: tensor([3, 8, 8, 3]), mask: tensor([2, 8, 8]), vae, grow_mask_by: 6 };
    await expect(vaeEncodeForInpaint.run(inputs, context())).rejects.toThrow(
      /2 masks can't go with 3 images: give one, or one for each/,
    );
  });

  it('LoraLoader: a file that is not there', () => {
    const inputs = { lora_name: 'pixel.safetensors', strength_model: 1, strength_clip: 1 } as never;
    expect(() => loraLoader.run(inputs, context())).toThrow(/pixel\.safetensors/);
  });
});
