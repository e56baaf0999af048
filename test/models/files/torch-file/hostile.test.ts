/** Files made to exhaust memory, time or the stack, and what training scripts put beside weights. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelError } from '../../../../src/models/model-error.js';
import { openModelFile } from '../../../../src/models/files/model-file.js';
import { safetensorsWeights } from '../../../../src/models/files/safetensors-weights.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-hostile-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

type Part = string | Buffer;

/** Opcodes, one byte to a character. */
const code = (...parts: readonly Part[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const text = (value: string): Buffer => code('X', uint32(Buffer.byteLength(value)), value);
const number = (value: number): Buffer => code('J', uint32(value));
const times = (part: Buffer, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => part));

/** A legacy file whose root the opcodes build. */
function legacy(root: Part, storages: Readonly<Record<string, Float32Array>> = {}): string {
  const keys = Object.keys(storages);
  const path = join(folder, 'file.pth');
  writeFileSync(
    path,
    code(
      Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'),
      '\x80\x02M\xe9\x03.\x80\x02}.\x80\x02',
      root,
      '.\x80\x02](',
      ...keys.map(text),
      'e.',
      ...Object.values(storages).flatMap((values) => [
        code(uint32(values.length), uint32(0)),
        Buffer.from(values.buffer),
      ]),
    ),
  );
  return path;
}

const storage = (key: string, length: number): Buffer =>
  code('(', text('storage'), 'ctorch\nFloatStorage\n', text(key), text('cuda:0'), number(length), 'tQ');

interface View {
  readonly shape: Part;
  readonly strides: Part;
}

/** A tensor in the storage `0` of `length` values. */
const tensor = (length: number, { shape, strides }: View): Buffer =>
  code('ctorch._utils\n_rebuild_tensor_v2\n(', storage('0', length), 'K\x00', shape, strides, '\x89NtR');

const one = (value: number): Buffer => code(number(value), '\x85');

/** What is said about a file, and how many bytes the process grew by. */
function refused(path: string): { readonly message: string; readonly growth: number } {
  const before = process.memoryUsage().rss;
  try {
    openModelFile(path).file.close();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { message: error.message, growth: process.memoryUsage().rss - before };
  }
  throw new Error(`${path} was read`);
}

describe('what would fill memory', () => {
  const tooMany = 'more objects than any model has';
  const numbered = (opcode: string, count: number): Buffer => {
    const bytes = Buffer.alloc(5 * count);
    for (let at = 0; at < count; at++) {
      bytes.write(opcode, 5 * at, 'latin1');
      bytes.writeUInt32LE(at * 977, 5 * at + 1);
    }
    return bytes;
  };
  it.each([
    ['bytes', times(code('C\x00'), 3_000_000)],
    ['short strings', times(code('\x8c\x01a'), 3_000_000)],
    ['the memo', code(']', numbered('r', 3_000_000))],
    ['dictionaries in each other', times(code('}'), 3_000_000)],
    [
      'copies of one list',
      code(
        ...['ccollections\nOrderedDict\nq\x00](', times(code('K\x00K\x01\x86'), 1000), 'eq\x01'],
        times(code('h\x00h\x01\x85R'), 200_000),
      ),
    ],
    [
      'copies of one set',
      code(
        'cbuiltins\nset\nq\x00](',
        times(code('K\x00'), 20_000),
        'eq\x01',
        times(code('h\x00h\x01\x85R'), 200_000),
      ),
    ],
    [
      'tensors',
      code(
        ...[
          'ctorch._utils\n_rebuild_tensor_v2\nq\x00(',
          storage('0', 1),
          'K\x00(',
          times(code('K\x01'), 16),
          'tq\x01',
        ],
        ...['h\x01\x89Ntq\x02', times(code('h\x00h\x02R'), 800_000)],
      ),
    ],
  ])('%s', (_, root) => {
    const { message, growth } = refused(legacy(root));
    expect(message).toContain(tooMany);
    expect(growth).toBeLessThan(250e6);
  });

  it('a shape of many axes, again and again', () => {
    const many = code('(', times(code('K\x01'), 1000), 'tq\x01');
    const root = tensor(1, { shape: many, strides: 'h\x01' });
    expect(refused(legacy(root)).message).toContain('a tensor of 1000 axes has 1000 strides');
  });

  it('a storage that tensors share too often', () => {
    const values = new Float32Array(1 << 18);
    const shared = (count: number): Buffer =>
      code(
        tensor(values.length, { shape: one(values.length), strides: one(1) }),
        'q\x050}(',
        ...Array.from({ length: count }, (_, at) => code(text(`key${at}`), 'h\x05')),
        'u',
      );
    const opened = openModelFile(legacy(shared(8), { '0': values }));
    expect(opened.tensors.size).toBe(8);
    opened.file.close();
    expect(refused(legacy(shared(40), { '0': values })).message).toContain('its tensors share');
  });

  it('a zip file of more entries than any checkpoint has', () => {
    const end = Buffer.alloc(22 + 20 + 56);
    end.writeUInt32LE(0x06064b50, 0);
    end.writeBigUInt64LE(3_000_000n, 32);
    end.writeUInt32LE(0x07064b50, 56);
    end.writeBigUInt64LE(30n, 64);
    end.writeUInt32LE(0x06054b50, 76);
    const path = join(folder, 'many.pth');
    writeFileSync(path, code(`PK\x03\x04${'\0'.repeat(26)}`, end));
    expect(refused(path).message).toContain('a zip file of 3000000 entries is refused');
  });
});

describe('what would leave the stack, the storage or the numbers', () => {
  it('tensors with attributes within each other', () => {
    const own = 'ctorch._tensor\n_rebuild_from_type_v2\nq\x00';
    const nested = code(own, '(h\x00N(h\x00N)NtNtR');
    expect(refused(legacy(nested)).message).toContain('a tensor with attributes is made of no tensor');
  });

  it.each([
    ['a negative stride', { shape: one(4), strides: one(-1 >>> 0) }, 'a stride is -1'],
    ['a negative extent', { shape: one(-4 >>> 0), strides: one(1) }, 'an extent is -4'],
    [
      'an extent of 2^63',
      { shape: '\x8a\x09\0\0\0\0\0\0\0\x80\0\x85', strides: one(0) },
      'an extent is no whole number',
    ],
    ['an extent that is no number', { shape: 'N\x85', strides: one(1) }, 'an extent is no whole number'],
    [
      'extents whose product is beyond all numbers',
      {
        shape: code(number(2 ** 31 - 1), number(2 ** 31 - 1), number(2 ** 31 - 1), '\x87'),
        strides: 'K\0K\0K\0\x87',
      },
      'is larger than the file',
    ],
    [
      'a stride beyond the storage',
      { shape: one(2), strides: one(2 ** 31 - 1) },
      'leaves its storage of 8 values',
    ],
  ] as const)('%s', (_, view, message) => {
    const root = code('}', text('a'), tensor(8, view), 's');
    expect(refused(legacy(root, { '0': new Float32Array(8) })).message).toContain(message);
  });

  it('a dictionary that holds itself', () => {
    const root = code('}q\x07', text('params'), 'h\x07s');
    expect(refused(legacy(root)).message).toContain('it holds no tensors by name');
  });

  it('reads values that lie far from each other without what is between', () => {
    const values = Float32Array.from({ length: 1000 }, (_, at) => at);
    const view = { shape: code('K\x02K\x02\x86'), strides: code(number(500), number(3), '\x86') };
    const opened = openModelFile(legacy(code('}', text('far'), tensor(1000, view), 's'), { '0': values }));
    const read = new Float32Array(4);
    safetensorsWeights(opened).weight('far').read(read);
    opened.file.close();
    expect([...read]).toEqual([0, 3, 500, 503]);
  });
});

describe('what training scripts put beside weights', () => {
  const beside = (part: string): Buffer =>
    code('}(', text('extra'), part, text('a'), tensor(2, { shape: one(2), strides: one(1) }), 'u');

  it.each([
    ['a count', 'ccollections\nCounter\n}\x85R'],
    [
      'a numpy scalar',
      'cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\0\0\0f8K\0K\x01\x87RC\x08\0\0\0\0\0\0\0\0\x86R',
    ],
    ['a set', 'cbuiltins\nset\n](K\x01K\x02e\x85R'],
    ['a callback', 'cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\n)\x81}b'],
    ['an OrderedDict with attributes', 'ccollections\nOrderedDict\n)R}X\x09\0\0\0_metadataNsb'],
  ])('%s is passed over', (_, part) => {
    const opened = openModelFile(legacy(beside(part), { '0': Float32Array.of(1, 2) }));
    expect([...opened.tensors.keys()]).toEqual(['a']);
    opened.file.close();
  });

  it.each([
    ['argparse.Namespace', 'cargparse\nNamespace\n)\x81}b'],
    [
      'pytorch_lightning.utilities.parsing.AttributeDict',
      'cpytorch_lightning.utilities.parsing\nAttributeDict\n)\x81',
    ],
    ['torch.storage._load_from_bytes', 'ctorch.storage\n_load_from_bytes\nC\x01a\x85R'],
    ['omegaconf.dictconfig.DictConfig', 'comegaconf.dictconfig\nDictConfig\n)\x81'],
  ])('%s is refused by its name', (name, part) => {
    expect(refused(legacy(beside(part), { '0': Float32Array.of(1, 2) })).message).toContain(
      `the global ${name} is refused`,
    );
  });

  it('a tar file of torch before 2017 is named as one', () => {
    const path = join(folder, 'old.pth');
    writeFileSync(path, code('sys_info', '\0'.repeat(249), 'ustar', '\0'.repeat(250)));
    expect(refused(path).message).toContain('is a tar file, as torch wrote before 2017');
  });
});
