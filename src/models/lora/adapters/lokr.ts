import type { Weight } from '../../../compute/weight.js';
import { kronecker } from '../../../native/addon.js';
import type { LoraFile } from '../lora-file.js';
import { matrixShape, multiply, readMatrix, tucker, type Matrix } from '../matrix.js';
import { Scratch } from '../scratch.js';
import { differenceAdapter, type AdapterReader } from './adapter.js';

/** A factor of the Kronecker product, whole or as a low-rank product itself. */
interface Factor {
  readonly rows: number;
  /** Of the first input axis; a kernel's extents are in `matrix` only. */
  readonly columns: number;
  readonly count: number;
  readonly rank: number | undefined;
  readonly fault: string | undefined;
  readonly read: () => Matrix;
}

const parts = ['.lokr_w1', '.lokr_w2', '.lokr_w1_a', '.lokr_w2_a'];

const scratch = new Scratch();

/** LyCORIS' LoKr: a Kronecker product (comfy/weight_adapter/lokr.py). */
export const readLokrAdapter: AdapterReader = (file, prefix, { alpha, doraScale }) => {
  if (parts.every((part) => !file.has(prefix + part))) return undefined;
  const first = readFactor(file, `${prefix}.lokr_w1`, [2], undefined);
  const second = readFactor(file, `${prefix}.lokr_w2`, [2, 4], file.find(`${prefix}.lokr_t2`));
  const rank = second.rank ?? first.rank;
  const adapter = differenceAdapter({
    count: first.count * second.count,
    scale: alpha === undefined || rank === undefined ? 1 : alpha / rank,
    doraScale,
    compute() {
      const [a, b] = [first.read(), second.read()];
      const values = scratch.zeros(a.values.length * b.values.length);
      kronecker(values, a.values, a.rows, a.columns, b.values, b.rows, b.columns);
      return values;
    },
  });
  const fault = first.fault ?? second.fault;
  return { ...adapter, mismatch: (shape) => fault ?? adapter.mismatch(shape) };
};

function readFactor(
  file: LoraFile,
  name: string,
  ranks: readonly number[],
  core: Weight | undefined,
): Factor {
  const whole = file.find(name);
  if (whole !== undefined) {
    return {
      ...sizes(whole.shape),
      rank: undefined,
      fault: ranks.includes(whole.shape.length)
        ? undefined
        : `its factor [${whole.shape.join(', ')}] should have ${ranks.join(' or ')} axes`,
      read: () => readMatrix(whole),
    };
  }
  const a = file.require(`${name}_a`);
  const b = file.require(`${name}_b`);
  const [left, right] = [matrixShape(a), matrixShape(b)];
  const fault = `its factors [${a.shape.join(', ')}] and [${b.shape.join(', ')}] don't multiply`;
  if (core === undefined) {
    return {
      ...sizes([left.rows, right.columns]),
      rank: right.rows,
      fault: left.columns === right.rows ? undefined : fault,
      read: () => multiply(readMatrix(a), readMatrix(b)),
    };
  }
  return {
    ...sizes([left.columns, right.columns, ...core.shape.slice(2)]),
    rank: right.rows,
    fault: left.rows === core.shape[0] && right.rows === core.shape[1] ? undefined : fault,
    read: () => tucker(core, readMatrix(a), readMatrix(b)),
  };
}

function sizes(shape: readonly number[]): Pick<Factor, 'rows' | 'columns' | 'count'> {
  const [rows = 1, columns = 1, ...rest] = shape;
  return { rows, columns, count: rest.reduce((product, extent) => product * extent, rows * columns) };
}
