import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/compute/graph.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { elementCount, tensor, type Tensor } from '../../../src/compute/tensor.js';
import type { Weight } from '../../../src/compute/weight.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { roundToHalf } from '../../../src/models/weights/rounding.js';
import type { WeightPatch } from '../../../src/models/weights/weight-patches.js';
import { patched } from '../../../src/models/weights/patched.js';
import { rowSlice } from '../../../src/models/weights/weight-views.js';
import { relativeRms, tinyCheckpoint } from '../../support/golden.js';

const opened = openSafetensors(tinyCheckpoint('sd15'));
const source = safetensorsWeights(opened);
const key = 'model.diffusion_model.middle_block.1.transformer_blocks.0.ff.net.2.weight'; // 128×512
const backend = createOnnxBackend();
afterAll(() => {
  opened.file.close();
});

const [ROWS, COLUMNS] = source.weight(key).shape as [number, number];

function filled(name: string, shape: readonly number[], seed: number): Weight {
  return {
    name,
    shape,
    read(into) {
      into.forEach((_, index) => (into[index] = Math.sin((index + 1) * seed) / 8));
    },
  };
}

/** A low-rank change of some rows, as LoRAs of a part of a fused layer are. */
function patchOf(rank: number, start: number, count: number): WeightPatch {
  const up = filled('up', [count, rank], 1.3 + start);
  const down = filled('down', [rank, COLUMNS], 2.7 + rank);
  return {
    identity: `${rank} ${start}`,
    product: { up, down, factor: 0.5, ...(count === ROWS ? {} : { rows: { start, count } }) },
    apply(values) {
      const [left, right] = [valuesOf(up), valuesOf(down)];
      for (let row = 0; row < count; row++) {
        for (let column = 0; column < COLUMNS; column++) {
          let sum = 0;
          for (let r = 0; r < rank; r++) sum += left[row * rank + r]! * right[r * COLUMNS + column]!;
          values[(start + row) * COLUMNS + column]! += 0.5 * sum;
        }
      }
    },
  };
}

function valuesOf(weight: Weight): Float32Array {
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return values;
}

/** What layers of these weights make of one input, with the bytes that they hold. */
async function run(weights: readonly Weight[]): Promise<{ readonly out: Tensor[]; readonly bytes: number }> {
  const graph = new GraphBuilder('layers');
  const x = graph.input('x', [1, 5, COLUMNS]);
  weights.forEach((weight, index) => {
    const made = graph.linear(x, weight);
    graph.output(`y${index}`, made);
    graph.output(`z${index}`, graph.add(graph.activation(made, 'gelu_tanh'), made));
  });
  const program = await backend.load(graph.build());
  const data = Float32Array.from({ length: 5 * COLUMNS }, (_, index) => Math.cos(index * 0.7));
  const results = await program.run({ x: tensor([1, 5, COLUMNS], data) });
  const bytes = program.residentBytes;
  await program.dispose();
  return { out: Object.values(results), bytes };
}

describe('a layer with a LoRA', () => {
  it.each([
    ['on all of its rows', [patchOf(4, 0, ROWS)]],
    ['twice', [patchOf(4, 0, ROWS), patchOf(3, 0, ROWS)]],
    ['on some of its rows', [patchOf(4, ROWS / 4, ROWS / 2)]],
  ])('stays in its file and comes to the same, %s', async (_, patches) => {
    const weight = patched(source, new Map([[key, patches]])).weight(key);
    const parts = [weight, rowSlice(weight, 0, ROWS / 2), rowSlice(weight, ROWS / 2, ROWS / 4)];
    const read = parts.map((part): Weight => ({
      name: part.name,
      shape: part.shape,
      read: (into) => {
        part.read(into);
      },
    }));
    const [beside, added] = [await run(parts), await run(read)];
    expect(beside.out.length).toBe(6);
    beside.out.forEach((each, index) => {
      expect(relativeRms(each, added.out[index]!)).toBeLessThan(1e-6);
    });
    expect(beside.bytes).toBeLessThan(added.bytes);
  });

  it('whose rows a change leaves alone lies in its file as it is', () => {
    const weight = patched(source, new Map([[key, [patchOf(4, 0, ROWS / 4)]]])).weight(key);
    const part = rowSlice(weight, ROWS / 2, ROWS / 2);
    expect(part.stored).toBeDefined();
    expect(valuesOf(part)).toEqual(valuesOf(rowSlice(source.weight(key), ROWS / 2, ROWS / 2)));
  });

  it('is added to where the change is nearly as large as the layer', async () => {
    const weight = patched(source, new Map([[key, [patchOf(64, 0, ROWS)]]])).weight(key);
    expect((await run([weight])).bytes).toBe(4 * ROWS * COLUMNS);
  });

  it('of a file that keeps float16 is rounded to it with the change', () => {
    const base = { ...source.weight(key), patchedAs: 'F16' as const };
    const kept = patched({ ...source, weight: () => base }, new Map([[key, [patchOf(4, 0, ROWS)]]])).weight(
      key,
    );
    const values = valuesOf(kept);
    const rounded = values.slice();
    roundToHalf(rounded);
    expect(values).toEqual(rounded);
    expect(values).not.toEqual(
      valuesOf(patched(source, new Map([[key, [patchOf(4, 0, ROWS)]]])).weight(key)),
    );
    expect(kept.merged).toBeUndefined();
  });
});
