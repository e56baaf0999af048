import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { withoutScales } from '../../../src/models/files/scaled-weights.js';
import type { WeightSource } from '../../../src/models/weights/weight-source.js';
import { valuesOf } from '../../../src/models/weights/weight-values.js';
import { fixture } from '../../support/golden.js';
import { writeSafetensors } from '../../support/models.js';

function open(path: string): WeightSource {
  const opened = openSafetensors(path);
  return withoutScales(safetensorsWeights(opened), opened.metadata);
}

const expected = safetensorsWeights(openSafetensors(fixture('model-files/quantised/expected.safetensors')));
const folder = mkdtempSync(join(tmpdir(), 'latentd-scaled-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('weights with scales of their own', () => {
  it.each([...expected.keys()])('are what comfy-kitchen makes of them: %s', (name) => {
    const [form, layer] = name.split('.') as [string, string];
    const weights = open(fixture(`model-files/quantised/${form}.safetensors`));
    const weight = weights.weight(`${layer}.weight`);
    expect(weight.shape).toEqual(expected.weight(name).shape);
    expect(valuesOf(weight)).toEqual(valuesOf(expected.weight(name)));
    expect(weights.rows(`${layer}.weight`, 5, 3)).toEqual(expected.rows(name, 5, 3));
  });

  it('have no keys but their own, and fp8 stays where it lies', () => {
    for (const form of ['fp8-scaled', 'fp8-comfy', 'fp8-meta']) {
      const weights = open(fixture(`model-files/quantised/${form}.safetensors`));
      expect([...weights.keys()].sort()).toEqual(['first.weight', 'second.bias', 'second.weight']);
      expect(weights.weight('first.weight').stored).toMatchObject({
        dtype: 'F8_E4M3',
        scale: expect.any(Number) as number,
      });
      expect(weights.has('scaled_fp8')).toBe(false);
    }
  });

  const f32 = (values: readonly number[]) => ({
    dtype: 'F32' as const,
    shape: [values.length],
    bytes: new Uint8Array(Float32Array.from(values).buffer),
  });
  const codes = { dtype: 'F8_E4M3' as const, shape: [2, 4], bytes: new Uint8Array(8) };
  const told = (text: string) => ({
    dtype: 'U8' as const,
    shape: [text.length],
    bytes: new Uint8Array(Buffer.from(text)),
  });

  it.each([
    [
      'an unknown format',
      { 'a.comfy_quant': told('{"format":"convrot_w4a4"}') },
      /held as .*convrot_w4a4.*known formats are/,
    ],
    [
      'rotated weights',
      { 'a.comfy_quant': told('{"format":"int8_tensorwise","convrot":true}') },
      /convrot.*isn't known/,
    ],
    ['text that is no JSON', { 'a.comfy_quant': told('{format') }, /no JSON/],
    [
      'too many scales',
      { 'a.scale_weight': f32([1, 2, 3]) },
      /a has 3 scales, which don't fit its weight of \[2, 4\]/,
    ],
    ['no scale', { 'a.comfy_quant': told('{"format":"float8_e5m2"}') }, /has no a.weight_scale/],
    [
      'too few scales of blocks',
      { 'a.comfy_quant': told('{"format":"mxfp8"}'), 'a.weight_scale': codes },
      /8 scales, which don't fit/,
    ],
  ] as const)('are refused with %s', (name, tensors, message) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.safetensors`);
    writeSafetensors(path, { 'a.weight': codes, ...tensors });
    expect(() => open(path).weight('a.weight')).toThrow(message);
  });
});
