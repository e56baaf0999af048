import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { elementCount } from '../../../src/compute/tensor.js';
import { keysOfArchitecture } from '../../../src/models/files/gguf-keys.js';
import { readGgufHeader } from '../../../src/models/files/gguf.js';
import { openModelFile } from '../../../src/models/files/model-file.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { valuesOf } from '../../../src/models/weights/weight-values.js';
import { bytesOf, type StoredDType } from '../../../src/native/dtypes.js';
import { fixture } from '../../support/golden.js';

const path = fixture('model-files/blocks.gguf');
const opened = openModelFile(path);
const weights = safetensorsWeights(opened);
const expected = safetensorsWeights(openSafetensors(fixture('model-files/blocks.safetensors')));
const folder = mkdtempSync(join(tmpdir(), 'latentd-gguf-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('GGUF files', () => {
  it.each([...expected.keys()])('are read as ComfyUI-GGUF reads them: %s, to the bit', (name) => {
    const weight = weights.weight(name.replace('_F32', ''));
    const values = new Float32Array(elementCount(weight.shape));
    const { file, offset, dtype } = weight.stored!;
    file.widen(
      offset,
      name === 'F32' ? 'F32' : ((name.endsWith('_F32') ? `${dtype}_F32` : dtype) as StoredDType),
      values,
    );
    expect(weight.shape).toEqual(expected.weight(name).shape);
    expect(values).toEqual(valuesOf(expected.weight(name)));
  });

  it('have fields, lists among them, and shapes that were put aside', () => {
    const { fields, tensors } = readGgufHeader(path, opened.file);
    expect(fields.get('general.architecture')).toBe('flux');
    expect(fields.get('latentd.answer')).toBe(42);
    expect(tensors.get('shaped')!.shape).toEqual([4, 2, 2, 2]);
    expect(tensors.get('Q4_K')).toMatchObject({
      dtype: 'Q4_K',
      shape: [3, 512],
      byteLength: bytesOf('Q4_K', 1536),
    });
  });

  it("have llama.cpp's names for text encoders", () => {
    const t5 = keysOfArchitecture('t5encoder');
    expect(t5('enc.blk.3.ffn_gate.weight')).toBe('encoder.block.3.layer.1.DenseReluDense.wi_0.weight');
    expect(t5('enc.blk.0.attn_rel_b.weight')).toBe(
      'encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight',
    );
    const qwen = keysOfArchitecture('qwen3');
    expect(qwen('blk.11.attn_q_norm.weight')).toBe('model.layers.11.self_attn.q_norm.weight');
    expect(qwen('blk.11.attn_output.weight')).toBe('model.layers.11.self_attn.o_proj.weight');
    expect(qwen('output.weight')).toBe('lm_head.weight');
    expect(keysOfArchitecture('flux')('img_in.weight')).toBe('img_in.weight');
  });

  const bytes = readFileSync(path);
  const changed = (name: string, change: (copy: Buffer) => Buffer): string => {
    const into = join(folder, `${name}.gguf`);
    writeFileSync(into, change(Buffer.from(bytes)));
    return into;
  };
  const put = (at: number, value: bigint) => (copy: Buffer) => {
    copy.writeBigUInt64LE(value, at);
    return copy;
  };

  it.each([
    ['cut in the header', (copy: Buffer) => copy.subarray(0, 300), /truncated in its header/],
    [
      'cut in the blocks',
      (copy: Buffer) => copy.subarray(0, copy.length - 200),
      /is truncated: the tensor \S+ ends/,
    ],
    [
      'of an old version',
      (copy: Buffer) => (copy.writeUInt32LE(1, 4), copy),
      /version 1 can't be read; 2 and 3 can/,
    ],
    ['with too many tensors', put(8, 2n ** 40n), /counts 1099511627776 tensors; at most 1000000/],
    ['with too many fields', put(16, 2n ** 63n), /beyond any file/],
    ['with a name as long as the file', put(24, 2n ** 30n), /a text of its header would have/],
  ])('%s are refused by name', (name, change, message) => {
    const file = changed(name.replaceAll(' ', '-'), change);
    expect(() => openModelFile(file)).toThrow(message);
    expect(() => openModelFile(file)).toThrow(file);
  });

  it('survive any byte of their header being another', () => {
    const end = opened.tensors.get('Q4_0')!.offset;
    let read = 0;
    for (let at = 4; at < end; at += 3) {
      const file = changed('fuzz', (copy) => ((copy[at] = copy[at]! ^ 0xff), copy));
      try {
        openModelFile(file).file.close();
        read++;
      } catch (error) {
        expect((error as Error).message).toContain(file);
      }
    }
    expect(read).toBeGreaterThan(0);
  });
});
