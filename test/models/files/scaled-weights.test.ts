import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/compute/graph.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor } from '../../../src/compute/tensor.js';
import { rowSlice } from '../../../src/models/weights/weight-views.js';
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

  const forms = [...new Set([...expected.keys()].map((name) => name.split('.')[0]!))];

  it.each(['portable', 'avx2', 'avx512'] as const)(
    'are multiplied where they lie by %s kernels',
    async (kernels) => {
      const backend = createOnnxBackend({ kernels, threads: 2 });
      for (const form of forms) {
        const weights = open(fixture(`model-files/quantised/${form}.safetensors`));
        for (const key of [...weights.keys()].filter((each) => each.endsWith('.weight'))) {
          const weight = weights.weight(key);
          const [rows, columns] = weight.shape as [number, number];
          // Whole, and rows that begin inside a tile of scales.
          const parts = [weight, rowSlice(weight, 3, rows - 5)];
          const graph = new GraphBuilder('scaled');
          const x = graph.input('x', [1, 7, columns]);
          parts.forEach((part, index) => {
            const values = valuesOf(part);
            const read = {
              name: 'read',
              shape: part.shape,
              read(into: Float32Array) {
                into.set(values);
              },
            };
            graph.output(`lying${index}`, graph.linear(x, part));
            graph.output(`read${index}`, graph.linear(x, read));
          });
          const program = await backend.load(graph.build());
          const values = columns * rows;
          expect(program.residentBytes, form).toBeLessThanOrEqual(4 * (2 * values) + 2 * values);
          const data = Float32Array.from({ length: 7 * columns }, (_, index) => Math.sin(index));
          const made = await program.run({ x: tensor([1, 7, columns], data) });
          await program.dispose();
          parts.forEach((_, index) => {
            expect(made[`lying${index}`]!.data, `${form} ${key}`).toEqual(made[`read${index}`]!.data);
          });
        }
      }
    },
  );

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
