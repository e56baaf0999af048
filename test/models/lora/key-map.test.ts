import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { addDenoiserKeys, addTextKeys, type LoraKeyMap } from '../../../src/models/lora/key-map.js';
import { fixture } from '../../support/golden.js';
import { tinyModels } from '../../support/tiny-models.js';

function comfyKeys(family: string): Record<string, string> {
  const packed = readFileSync(fixture(`lora/${family}-tiny-keys.json.gz`));
  return JSON.parse(gunzipSync(packed).toString()) as Record<string, string>;
}

describe.each(['sd15', 'sdxl'] as const)('the keys of a LoRA for %s', (family) => {
  const { model, clip } = tinyModels(family);
  const keyMap: LoraKeyMap = new Map();
  addDenoiserKeys(keyMap, model);
  addTextKeys(keyMap, clip);

  it('name the weights that they name in ComfyUI', () => {
    const absent: string[] = [];
    for (const [prefix, expected] of Object.entries(comfyKeys(family))) {
      const target = keyMap.get(prefix);
      const name =
        target?.encoder === undefined
          ? `diffusion_model.${target?.key ?? ''}`
          : `clip_${target.encoder}.transformer.${target.key}`;
      // ComfyUI gives CLIP-L a projection of its own making where the checkpoint has none.
      if (name !== expected && !expected.startsWith('clip_l.transformer.text_projection'))
        absent.push(prefix);
    }
    expect(absent).toEqual([]);
  });

  it('leave PEFT’s names of attention layers out, as ComfyUI does', () => {
    const layer = 'down_blocks.1.attentions.0.transformer_blocks.0.attn1';
    const ours = 'input_blocks.4.1.transformer_blocks.0.attn1';
    expect(keyMap.get(`unet.${layer}.to_q`)).toBeUndefined();
    expect(keyMap.get(`unet.${layer.replace('attn1', 'attn1.processor')}.to_q`)).toEqual({
      key: `${ours}.to_q.weight`,
    });
  });
});
