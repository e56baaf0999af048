import type { Weight } from '../../../compute/weight.js';
import { multiplyElements } from '../../../native/addon.js';
import { matrixShape, multiply, readMatrix, tucker, type Matrix } from '../matrix.js';
import { Scratch } from '../scratch.js';
import { differenceAdapter, type AdapterReader } from './adapter.js';

/** One of LoHa's two factors: a·b, or a core t between them. */
interface Factor {
  readonly a: Weight;
  readonly b: Weight;
  readonly core: Weight | undefined;
}

const left = new Scratch();
const right = new Scratch();

/** LyCORIS' LoHa: the elementwise product of two low-rank matrices (comfy/weight_adapter/loha.py). */
export const readLohaAdapter: AdapterReader = (file, prefix, { alpha, doraScale }) => {
  if (!file.has(`${prefix}.hada_w1_a`)) return undefined;
  const hasCores = file.has(`${prefix}.hada_t1`);
  const factor = (index: 1 | 2): Factor => ({
    a: file.require(`${prefix}.hada_w${index}_a`),
    b: file.require(`${prefix}.hada_w${index}_b`),
    core: hasCores ? file.require(`${prefix}.hada_t${index}`) : undefined,
  });
  const first = factor(1);
  const second = factor(2);
  const adapter = differenceAdapter({
    count: countOf(first),
    scale: alpha === undefined ? 1 : alpha / (first.b.shape[0] ?? 1),
    doraScale,
    compute() {
      const product = rebuild(first, left).values;
      multiplyElements(product, rebuild(second, right).values);
      return product;
    },
  });
  const fault =
    faultOf(first) ??
    faultOf(second) ??
    (countOf(first) === countOf(second) ? undefined : 'its halves differ in size');
  return { ...adapter, mismatch: (shape) => fault ?? adapter.mismatch(shape) };
};

function countOf({ a, b, core }: Factor): number {
  if (core === undefined) return matrixShape(a).rows * matrixShape(b).columns;
  const positions = core.shape.slice(2).reduce((product, extent) => product * extent, 1);
  return matrixShape(a).columns * matrixShape(b).columns * positions;
}

function faultOf({ a, b, core }: Factor): string | undefined {
  const [left, right] = [matrixShape(a), matrixShape(b)];
  const fits =
    core === undefined
      ? left.columns === right.rows
      : core.shape.length >= 2 && left.rows === core.shape[0] && right.rows === core.shape[1];
  return fits ? undefined : `its factors [${a.shape.join(', ')}] and [${b.shape.join(', ')}] don't multiply`;
}

function rebuild({ a, b, core }: Factor, scratch: Scratch): Matrix {
  if (core === undefined) return multiply(readMatrix(a), readMatrix(b), scratch);
  return tucker(core, readMatrix(a), readMatrix(b));
}
