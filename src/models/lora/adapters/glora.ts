import { addScaled } from '../../../native/addon.js';
import { matrixShape, multiply, readMatrix, swapFirstAxes, type Matrix } from '../matrix.js';
import { countMismatch, differenceAdapter, type AdapterReader } from './adapter.js';

/**
 * GLoRA: W·A + B with both low-rank (comfy/weight_adapter/glora.py). LyCORIS once wrote the factors the other way around;
 * the shapes tell which it is.
 */
export const readGloraAdapter: AdapterReader = (file, prefix, { alpha, doraScale }) => {
  if (!file.has(`${prefix}.a1.weight`)) return undefined;
  const a1 = file.require(`${prefix}.a1.weight`);
  const a2 = file.require(`${prefix}.a2.weight`);
  const b1 = file.require(`${prefix}.b1.weight`);
  const b2 = file.require(`${prefix}.b2.weight`);
  const oldRank = commonValue(b2.shape[1], b1.shape[0], a1.shape[0], a2.shape[1]);
  const newRank = commonValue(b2.shape[0], b1.shape[1], a1.shape[1], a2.shape[0]);

  /** The layout, where both would do: the old one for square weights only. */
  function rankFor(shape: readonly number[]): { readonly rank: number; readonly old: boolean } | undefined {
    const square = shape[0] === shape[1] && a2.shape[0] === shape[0];
    if (oldRank !== undefined && (newRank === undefined || square)) return { rank: oldRank, old: true };
    return newRank === undefined ? undefined : { rank: newRank, old: false };
  }

  function compute(weight: Float32Array, shape: readonly number[], old: boolean): Float32Array {
    const [rows = 1, inputs = 1] = shape;
    const [first, second] = [readMatrix(a1), readMatrix(a2)];
    if (old) {
      const flat = { rows, columns: weight.length / rows, values: weight };
      const change = multiply(readMatrix(b2), readMatrix(b1)).values;
      addScaled(change, multiply(multiply(flat, second), first).values, 1);
      return change;
    }
    const change = alongInputs(weight, rows, inputs, (matrix) => multiply(multiply(matrix, first), second));
    addScaled(change, multiply(readMatrix(b1), readMatrix(b2)).values, 1);
    return change;
  }

  const forLayout = (shape: readonly number[]) => {
    const layout = rankFor(shape);
    if (layout === undefined) return undefined;
    const [left, right] = layout.old ? [b2, b1] : [b1, b2];
    return differenceAdapter({
      count: matrixShape(left).rows * matrixShape(right).columns,
      scale: alpha === undefined ? 1 : alpha / layout.rank,
      doraScale,
      compute: (values) => compute(values, shape, layout.old),
    });
  };

  return {
    mismatch(shape) {
      const adapter = forLayout(shape);
      if (adapter === undefined) return 'its factors disagree about their rank';
      const inputs = rankFor(shape)?.old === true ? matrixShape(a2).rows : matrixShape(a1).rows;
      const columns = rankFor(shape)?.old === true ? shape.slice(1) : shape.slice(1, 2);
      return adapter.mismatch(shape) ?? countMismatch(inputs, columns);
    },
    apply: (values, shape, strength) => forLayout(shape)?.apply(values, shape, strength),
  };
};

function commonValue(...values: readonly (number | undefined)[]): number | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

/** Applies `body` to a weight (rows×inputs×kernel…) as a matrix whose columns are the inputs. */
function alongInputs(
  weight: Float32Array,
  rows: number,
  inputs: number,
  body: (matrix: Matrix) => Matrix,
): Float32Array {
  const positions = weight.length / (rows * inputs);
  if (positions === 1) return body({ rows, columns: inputs, values: weight }).values;
  const turned = new Float32Array(weight.length);
  for (let row = 0; row < rows; row++) {
    const slice = weight.subarray(row * inputs * positions, (row + 1) * inputs * positions);
    turned.set(swapFirstAxes(slice, inputs, positions, 1), row * inputs * positions);
  }
  const product = body({ rows: rows * positions, columns: inputs, values: turned });
  const result = new Float32Array(rows * product.columns * positions);
  for (let row = 0; row < rows; row++) {
    const slice = product.values.subarray(
      row * positions * product.columns,
      (row + 1) * positions * product.columns,
    );
    result.set(swapFirstAxes(slice, positions, product.columns, 1), row * product.columns * positions);
  }
  return result;
}
