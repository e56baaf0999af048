import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as numbers from '../../src/native/kernel-numbers.js';

const native = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../native/${path}`, import.meta.url)), 'utf8');

/** The names of a C++ enum, whose values count from 0, as TypeScript has them: `kGroupNorm` is `group_norm`. */
function enumNames(path: string, name: string): string[] {
  const body = new RegExp(`enum class ${name}\\b[^{]*\\{([^}]*)\\}`).exec(native(path))?.[1];
  if (body === undefined) throw new Error(`${path} has no enum ${name}`);
  const entries = body
    .replaceAll(/\/\/.*/g, '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  expect(entries.filter((entry) => !/^k\w+$/.test(entry))).toEqual([]);
  return entries.map((entry) =>
    entry
      .slice(1)
      .replaceAll(/(?<!^)([A-Z])/g, '_$1')
      .toLowerCase(),
  );
}

it.each([
  ['compute/kernels.h', 'Activation', numbers.KERNEL_ACTIVATION],
  ['compute/kernels.h', 'ScaleKind', numbers.SCALE_KIND],
  ['cuda/program.h', 'Kind', numbers.CUDA_KIND],
  ['cuda/program.h', 'Element', numbers.CUDA_ELEMENT],
  ['cuda/kernels/kernels.h', 'Elementwise', numbers.CUDA_ELEMENTWISE],
  ['cuda/formats.h', 'Activation', numbers.CUDA_ACTIVATION],
] as const)('native/%s, enum %s, is known by the same numbers', (path, name, known) => {
  const counted = Object.fromEntries(enumNames(path, name).map((entry, index) => [entry, index]));
  expect(known).toEqual(counted);
});

it.each([
  ['cuda/kernels/kernels.h', /kMostProducts = (\d+)/, numbers.CUDA_MOST_PRODUCTS],
  ['onnx/operators.cc', /kMoreParts = (\d+)/, numbers.CONVOLUTION_MORE_PARTS],
] as const)('native/%s has the same limit as TypeScript', (path, pattern, known) => {
  expect(known).toBe(Number(pattern.exec(native(path))?.[1]));
});
