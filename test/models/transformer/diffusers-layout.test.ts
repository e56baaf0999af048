import { describe, expect, it } from 'vitest';
import { recogniseCheckpoint } from '../../../src/models/families/recognise.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { ownLayout } from '../../../src/models/transformer/diffusers-layout.js';
import { patched } from '../../../src/models/weights/patched.js';
import type { WeightSource } from '../../../src/models/weights/weight-source.js';
import { derived, rowSlice, underPrefix, type Derivation } from '../../../src/models/weights/weight-views.js';
import { elementCount } from '../../../src/compute/tensor.js';
import type { Weight } from '../../../src/compute/weight.js';
import { syntheticCheckpoint } from '../../support/golden.js';
import { readGzipped } from '../../support/gzipped.js';

/** tools/reference/diffusers_layouts.py: ComfyUI's own table. */
const layouts = readGzipped('transformers/diffusers-layouts.json.gz') as Readonly<
  Record<string, Readonly<Record<string, string | readonly [key: string, start?: number, count?: number]>>>
>;

function valuesOf(weight: Weight): Float32Array {
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return values;
}

function isSame(one: Weight, other: Weight): boolean {
  const [bytes, others] = [one, other].map((weight) => Buffer.from(valuesOf(weight).buffer));
  return bytes!.equals(others!);
}

/** A family's tiny model, and the same under diffusers' keys. */
function bothOf(name: string): readonly [own: WeightSource, other: WeightSource] {
  const file = safetensorsWeights(openSafetensors(syntheticCheckpoint(`transformers/${name}-tiny`)));
  const prefix = 'model.diffusion_model.';
  const own = [...file.keys()].some((key) => key.startsWith(prefix)) ? underPrefix(file, prefix) : file;
  const derivations = Object.entries(layouts[name]!).map(
    ([key, from]): readonly [string, string | readonly Derivation[]] => {
      if (typeof from === 'string') return [key, from];
      const [path, start, count] = from;
      if (start !== undefined) return [key, [{ from: path, rows: { start, count: count! } }]];
      const half = own.weight(path).shape[0]! / 2;
      return [key, [half, 0].map((first) => ({ from: path, rows: { start: first, count: half } }))];
    },
  );
  return [own, derived(own, 'diffusers', new Map(derivations))];
}

describe.each(Object.keys(layouts))("diffusers' keys of %s", (name) => {
  const [own, other] = bothOf(name);

  it("are the family's own keys and values", () => {
    const made = ownLayout(other)!;
    // Black Forest Labs' files call a norm's weight `scale`.
    const all = new Map([...own.keys()].map((key) => [key.replace(/\.scale$/, '.weight'), own.weight(key)]));
    expect([...made.keys()].sort()).toEqual([...all.keys()].sort());
    for (const [key, weight] of all) {
      expect(made.weight(key).shape, key).toEqual(weight.shape);
      expect(isSame(made.weight(key), weight), key).toBe(true);
    }
  });

  it('are recognised as the family', () => {
    const { description, denoiser } = recogniseCheckpoint(other);
    expect(description).toBe(recogniseCheckpoint(own).description);
    expect(denoiser.family).toBe(recogniseCheckpoint(own).denoiser.family);
  });
});

describe('fused layers of several weights', () => {
  const [own, other] = bothOf('flux-dev');
  const made = ownLayout(other)!;
  const key = 'double_blocks.0.img_attn.qkv.weight';

  it('stay where their parts lie, also under LoRAs', () => {
    const width = own.weight(key).shape[0]! / 3;
    const factor = (rows: number, columns: number): Weight => ({
      name: 'factor',
      shape: [rows, columns],
      read(into) {
        into.forEach((_, index) => (into[index] = Math.sin(index)));
      },
    });
    const product = {
      up: factor(width, 2),
      down: factor(2, width),
      factor: 0.5,
      rows: { start: width, count: width },
    };
    const patches = [
      {
        identity: 'change',
        product,
        apply(values: Float32Array) {
          values.fill(7, width ** 2, 2 * width ** 2);
        },
      },
    ];
    const changed = patched(made, new Map([[key, patches]])).weight(key);
    const [query, middle] = [0, width].map((start) => rowSlice(changed, start, width));
    expect(query!.stored).toEqual(rowSlice(made.weight(key), 0, width).stored);
    expect(middle!.merged?.products).toHaveLength(1);
    expect(new Set(valuesOf(middle!))).toEqual(new Set([7]));
    const across = rowSlice(changed, width / 2, width);
    const whole = Buffer.from(valuesOf(changed).buffer, 2 * width ** 2, 4 * width ** 2);
    expect(whole.equals(Buffer.from(valuesOf(across).buffer))).toBe(true);
  });
});
