import { describe, expect, it } from 'vitest';
import { applyLora } from '../../../src/models/lora/apply-lora.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import type { WeightSource } from '../../../src/models/weights/weight-source.js';
import { fixture, goldenTensors, relativeRms } from '../../support/golden.js';
import { tinyModels } from '../../support/tiny-models.js';

const positive = 'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels';

function loraOf(family: 'sd15' | 'sdxl'): WeightSource {
  return safetensorsWeights(openSafetensors(fixture(`golden/${family}-tiny-lora.safetensors`)));
}

describe.each(['sd15', 'sdxl'] as const)('a LoRA on %s', (family) => {
  const { model, clip } = tinyModels(family);
  const golden = goldenTensors(`golden/${family}-tiny.golden.safetensors`);
  const lora = loraOf(family);
  const strengths = { model: 0.8, clip: 0.6 };

  it('changes the text encoders as in ComfyUI', async () => {
    const result = applyLora('tiny', lora, { model, clip }, strengths);
    expect(result.warnings).toEqual([]);
    expect(result.matched).toBe([...lora.keys()].length / 3);
    const { cond } = await result.clip.encode(positive);
    expect(relativeRms(cond, golden('lora.cond'))).toBeLessThan(2e-6);
  });

  it('gives models that cache apart for every strength and stack of LoRAs', () => {
    const half = applyLora('tiny', lora, { model, clip }, { model: 0.5, clip: 0 });
    const twice = applyLora('tiny', lora, half, { model: 0.5, clip: 0 });
    const again = applyLora('tiny', lora, { model, clip }, { model: 0.5, clip: 0 });
    const models = [model, half.model, twice.model].map(({ identity }) => identity);
    expect(new Set(models).size).toBe(3);
    expect(again.model.identity).toBe(half.model.identity);
    expect(half.clip).toBe(clip);
  });

  it('adds up when stacked', () => {
    const once = applyLora('tiny', lora, { model }, { model: 0.8, clip: 0 });
    const half = applyLora('tiny', lora, { model }, { model: 0.3, clip: 0 });
    const stacked = applyLora('tiny', lora, half, { model: 0.5, clip: 0 });
    const key = 'middle_block.1.transformer_blocks.0.ff.net.0.proj.weight';
    const [expected, actual] = [once, stacked].map((result) => {
      const weight = result.model.weights.weight(key);
      const values = new Float32Array(1024 * 128);
      weight.read(values);
      return { shape: weight.shape, data: values };
    });
    expect(relativeRms(actual!, expected!)).toBeLessThan(1e-6);
    expect(once.warnings).toEqual([]);
  });

  it('says so when none of its keys, or not all, name a layer', () => {
    const wrong: WeightSource = {
      ...lora,
      identity: 'flux',
      keys: () => ['transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight'],
      has: () => false,
    };
    expect(applyLora('flux', wrong, { model }, strengths).warnings).toEqual([
      expect.stringContaining('LoRA flux changes nothing') as string,
    ]);
    const other = loraOf(family === 'sd15' ? 'sdxl' : 'sd15');
    expect(applyLora('other', other, { model, clip }, strengths).warnings.join()).toMatch(
      /keys name no layer|don't fit/,
    );
  });
});
