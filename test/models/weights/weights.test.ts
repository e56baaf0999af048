import { describe, expect, it } from 'vitest';
import type { Weight } from '../../../src/compute/weight.js';
import { elementCount } from '../../../src/compute/tensor.js';
import { ModelError } from '../../../src/models/model-error.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { patched } from '../../../src/models/weights/patched.js';
import {
  columnSlice,
  derived,
  reshape,
  rowSlice,
  transpose,
  underPrefix,
  type Derivation,
} from '../../../src/models/weights/weight-views.js';
import { tinyCheckpoint } from '../../support/golden.js';

const opened = openSafetensors(tinyCheckpoint('sd15'));
const source = safetensorsWeights(opened);
const matrix = 'model.diffusion_model.time_embed.0.weight'; // 128×32
const positions = 'cond_stage_model.transformer.text_model.embeddings.position_ids'; // 1×77, I64

function values(weight: Weight): Float32Array {
  const into = new Float32Array(elementCount(weight.shape));
  weight.read(into);
  return into;
}

/** Values where `stored` says that they lie. */
function storedValues({ stored, shape }: Weight): Float32Array {
  const into = new Float32Array(elementCount(shape));
  stored!.file.widen(stored!.offset, stored!.dtype, into);
  return into;
}

const whole = values(source.weight(matrix));

describe('weights of a file', () => {
  it('read what is stored, and say where that is', () => {
    const weight = source.weight(matrix);
    expect(weight.shape).toEqual([128, 32]);
    expect(weight.stored).toMatchObject({ dtype: 'F16', file: opened.file });
    expect(storedValues(weight)).toEqual(whole);
  });

  it('read integers as numbers, where they lie', () => {
    const weight = source.weight(positions);
    expect([...values(weight)]).toEqual(Array.from({ length: 77 }, (_, index) => index));
    expect(weight.stored).toMatchObject({ dtype: 'I64', file: opened.file });
  });

  it('read rows alone', () => {
    expect(source.rows(matrix, 3, 2)).toEqual(whole.slice(96, 160));
    expect(() => source.rows(matrix, 127, 2)).toThrow(RangeError);
  });

  it('name the file, the missing key and the nearest', () => {
    const missing = () => source.weight('model.diffusion_model.time_embed.0.weigth');
    expect(missing).toThrow(ModelError);
    expect(missing).toThrow(opened.path);
    expect(missing).toThrow(`nearest: "${matrix}"`);
  });
});

describe('views', () => {
  it('under a prefix go without it', () => {
    const unet = underPrefix(source, 'model.diffusion_model.');
    expect(unet.has('time_embed.0.weight')).toBe(true);
    expect(unet.has(matrix)).toBe(false);
    expect([...unet.keys()].slice(0, 2)).toEqual(['time_embed.0.weight', 'time_embed.0.bias']);
    expect(unet.weight('time_embed.0.weight').name).toBe(matrix);
    expect(unet.rows('time_embed.0.weight', 1, 1)).toEqual(whole.slice(32, 64));
    expect(unet.identity).not.toBe(source.identity);
    expect(() => unet.weight('nothing')).toThrow('model.diffusion_model.nothing');
  });

  it('cut rows, which stay stored', () => {
    const rows = rowSlice(source.weight(matrix), 32, 64);
    expect(rows.shape).toEqual([64, 32]);
    expect(values(rows)).toEqual(whole.slice(32 * 32, 96 * 32));
    expect(storedValues(rows)).toEqual(values(rows));
    expect(() => rowSlice(rows, 60, 5)).toThrow(/rows 60 to 65 are not in it/);
  });

  it('cut columns and turn matrices, which are then no longer stored', () => {
    const columns = columnSlice(source.weight(matrix), 8, 4);
    expect(columns.shape).toEqual([128, 4]);
    expect(values(columns)[4 * 5 + 1]).toBe(whole[32 * 5 + 9]);
    const turned = transpose(columns);
    expect(turned.shape).toEqual([4, 128]);
    expect(values(turned)[128 + 5]).toBe(whole[32 * 5 + 9]);
    expect(columns.stored ?? turned.stored).toBeUndefined();
    expect(() => columnSlice(source.weight(matrix), 30, 4)).toThrow(ModelError);
  });

  it('take another shape of as many values', () => {
    const kernel = reshape(source.weight(matrix), [128, 32, 1, 1]);
    expect(values(kernel)).toEqual(whole);
    expect(kernel.stored).toBeDefined();
    expect(() => reshape(source.weight(matrix), [128, 31])).toThrow(/can't be read as \[128, 31\]/);
  });

  it('derive weights under new names', () => {
    const view = derived(
      source,
      'test',
      new Map<string, string | Derivation>([
        ['plain', matrix],
        ['part', { from: matrix, rows: { start: 32, count: 64 } }],
        ['turned', { from: matrix, rows: { start: 32, count: 64 }, transposed: true }],
      ]),
    );
    expect([...view.keys()]).toEqual(['plain', 'part', 'turned']);
    expect(view.rows('part', 1, 2)).toEqual(whole.slice(33 * 32, 35 * 32));
    expect(view.weight('turned').shape).toEqual([32, 64]);
    expect(view.rows('turned', 1, 1)[2]).toBe(whole[34 * 32 + 1]);
    expect(() => view.weight('other')).toThrow(ModelError);
  });

  it('add patches to what they name', () => {
    const patch = (identity: string, amount: number) => ({
      identity,
      apply(into: Float32Array, shape: readonly number[]) {
        expect(shape).toEqual([128, 32]);
        into.forEach((value, index) => (into[index] = value + amount));
      },
    });
    const view = patched(source, new Map([[matrix, [patch('a', 1), patch('b', 2)]]]));
    expect(values(view.weight(matrix))[7]).toBe(Math.fround(Math.fround(whole[7]! + 1) + 2));
    expect(view.weight(matrix).stored).toBeUndefined();
    expect(view.rows(matrix, 0, 1)[7]).toBe(values(view.weight(matrix))[7]);
    expect(view.weight('model.diffusion_model.time_embed.0.bias').stored).toBeDefined();
    expect(view.identity).not.toBe(
      patched(source, new Map([[matrix, [patch('b', 2), patch('a', 1)]]])).identity,
    );
    expect(patched(source, new Map()).identity).toBe(source.identity);
  });
});
