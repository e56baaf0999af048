import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elementCount } from '../../../../src/compute/tensor.js';
import { ModelError } from '../../../../src/models/model-error.js';
import { openModelFile } from '../../../../src/models/files/model-file.js';
import { safetensorsWeights } from '../../../../src/models/files/safetensors-weights.js';
import { fixture, goldenTensors } from '../../../support/golden.js';
import { mutations } from './mutations.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-torch-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const expected = goldenTensors('torch/expected.safetensors');
const keys = [
  ...['f32', 'f64', 'f16', 'bf16', 'i64', 'i32', 'u8', 'bool', 'scalar', 'empty', 'transposed', 'rows'],
  ...['columns', 'every_other', 'expanded', 'parameter', 'buffer_parameter'],
];

function written(bytes: Uint8Array): string {
  const path = join(folder, 'file.pth');
  writeFileSync(path, bytes);
  return path;
}

function failure(path: string): string {
  try {
    openModelFile(path).file.close();
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  throw new Error(`${path} was read`);
}

/** Reads every tensor. */
function readAll(path: string): number {
  const opened = openModelFile(path);
  try {
    const weights = safetensorsWeights(opened);
    let values = 0;
    for (const key of weights.keys()) {
      const weight = weights.weight(key);
      const into = new Float32Array(elementCount(weight.shape));
      weight.read(into);
      values += into.length;
    }
    return values;
  } finally {
    opened.file.close();
  }
}

describe.each(['zip.pth', 'zip-protocol4.pt', 'legacy.pth', 'legacy-protocol4.ckpt'])('%s', (name) => {
  const weights = safetensorsWeights(openModelFile(fixture(`torch/${name}`)));

  it('has the keys of the state dict in their order', () => {
    expect([...weights.keys()]).toEqual(keys);
  });

  it.each(keys)('%s is read value by value', (key) => {
    const wanted = expected(key);
    const weight = weights.weight(key);
    const values = new Float32Array(elementCount(weight.shape));
    weight.read(values);
    expect(weight.shape).toEqual(wanted.shape);
    expect(values).toEqual(wanted.data);
  });

  it('says where dense tensors lie, and of others that they lie nowhere as they are', () => {
    const elsewhere = keys.filter((key) => weights.weight(key).stored === undefined);
    expect(elsewhere).toEqual(['transposed', 'columns', 'every_other', 'expanded']);
  });

  it('reads rows of tensors that are not dense', () => {
    expect(weights.rows('transposed', 1, 2)).toEqual(expected('transposed').data.slice(6, 18));
  });
});

it('textual inversion keeps its vectors one level deeper', () => {
  const weights = safetensorsWeights(openModelFile(fixture('torch/embedding.pt')));
  expect([...weights.keys()]).toEqual(['string_to_param.*']);
  expect(weights.rows('string_to_param.*', 0, 2)).toEqual(expected('string_to_param.*').data);
});

describe('what is refused, by name', () => {
  const legacyStart = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
  const pickle = (body: string | Buffer) => written(Buffer.concat([legacyStart, Buffer.from(body)]));

  it.each([
    ['cos\nsystem\n(S', 'the global os.system is refused'],
    ['cposix\nsystem\n.', 'the global posix.system is refused'],
    ['c__builtin__\neval\n.', 'the global __builtin__.eval is refused'],
    ['cbuiltins\ngetattr\n.', 'the global builtins.getattr is refused'],
    ['ctorch.load\nload\n.', 'the global torch.load.load is refused'],
    ['ctorch\nconstructor\n.', 'the global torch.constructor is refused'],
    ['c__proto__\n__proto__\n.', 'the global __proto__.__proto__ is refused'],
    ['(S', 'the opcode 0x53'],
    ['(ios\nsystem\n.', 'the opcode INST'],
    ['\x82\x01.', 'the opcode'],
    ['(dQ.', 'a persistent object is no storage'],
    ['}}\x81.', 'calls with something that is no tuple'],
    ['})R.', 'something is called that is no function'],
    ['t.', 'has no mark to go back to'],
    ['h\x05.', 'asks for the memo 5, which is empty'],
    ['0.', 'needs more operands than there are'],
    ['X\xff\xff\xff\x7f', 'is truncated'],
    ['\x8a\xff', 'a whole number of 255 bytes is refused'],
    ['K\x01.', 'of a version of torch that is not known'],
  ])('%j', (body, message) => {
    expect(failure(pickle(Buffer.from(body, 'latin1')))).toContain(message);
  });

  it('more objects than any model has', () => {
    expect(failure(pickle('('.repeat(1_000_000)))).toContain('more objects than any model has');
    expect(failure(pickle(']'.repeat(1_000_000)))).toContain('more objects than any model has');
    expect(failure(pickle(`]${'2'.repeat(5_000_000)}`))).toContain('more objects than any model has');
  });

  it('a file cut short', () => {
    for (const name of ['zip.pth', 'legacy.pth']) {
      const whole = readFileSync(fixture(`torch/${name}`));
      for (const length of [4, 100, whole.length >> 1, whole.length - 1]) {
        expect(failure(written(whole.subarray(0, length)))).toMatch(/truncated|no directory|beyond the end/);
      }
    }
  });

  it('a zip file of something else', () => {
    const empty = Buffer.from(`PK\x03\x04${'\0'.repeat(30)}PK\x05\x06${'\0'.repeat(18)}`, 'latin1');
    expect(failure(written(empty))).toContain('with 0 data.pkl');
  });
});

it('2,000 damaged files are each read or refused, in less than 100 MB', () => {
  const before = process.memoryUsage().rss;
  let most = 0;
  const outcomes = { read: 0, refused: 0 };
  for (const name of ['zip.pth', 'zip-protocol4.pt', 'legacy.pth', 'legacy-protocol4.ckpt']) {
    for (const bytes of mutations(readFileSync(fixture(`torch/${name}`)), 500)) {
      try {
        expect(readAll(written(bytes))).toBeLessThan(bytes.length * keys.length);
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        outcomes.refused++;
      }
      most = Math.max(most, process.memoryUsage().rss - before);
    }
  }
  expect(outcomes.read + outcomes.refused).toBe(2000);
  expect(outcomes.refused).toBeGreaterThan(500);
  expect(most).toBeLessThan(100e6);
});
