import { addProduct } from '../../../native/addon.js';
import { matrixShape, multiply, readMatrix, swapFirstAxes, transpose, type Matrix } from '../matrix.js';
import type { Weight } from '../../../compute/weight.js';
import { decompositionMismatch } from '../dora.js';
import { readValues } from '../lora-file.js';
import { Scratch } from '../scratch.js';
import { countMismatch, differenceAdapter, type Adapter, type AdapterReader } from './adapter.js';

/** Names of the two factors: kohya, diffusers' attention processors, PEFT, diffusers, Mochi, transformers, Qwen. */
const spellings = [
  { up: '.lora_up.weight', down: '.lora_down.weight', middle: '.lora_mid.weight' },
  { up: '_lora.up.weight', down: '_lora.down.weight' },
  { up: '.lora_B.weight', down: '.lora_A.weight' },
  { up: '.lora.up.weight', down: '.lora.down.weight' },
  { up: '.lora_B', down: '.lora_A' },
  { up: '.lora_linear_layer.up.weight', down: '.lora_linear_layer.down.weight' },
  { up: '.lora_B.default.weight', down: '.lora_A.default.weight' },
] as const;

const scratch = new Scratch();

/** LoRA, up·down; and LyCORIS' LoCon for convolutions, with a core between them (comfy/weight_adapter/lora.py). */
export const readLoraAdapter: AdapterReader = (file, prefix, { alpha, doraScale }) => {
  const spelling = spellings.find(({ up }) => file.has(prefix + up));
  if (spelling === undefined) return undefined;
  const up = file.require(prefix + spelling.up);
  const down = file.require(prefix + spelling.down);
  const middle = 'middle' in spelling ? file.find(prefix + spelling.middle) : undefined;
  const reshape = file.find(`${prefix}.reshape_weight`);
  const rank = down.shape[0] ?? 1;
  const scale = alpha === undefined ? 1 : alpha / rank;

  const outer = matrixShape(up);
  const inner = middle === undefined ? matrixShape(down) : coreShape(down, middle);
  const fault = faultOf(up, down, middle);
  const readFactors = (): readonly [Matrix, Matrix] => [
    readMatrix(up),
    middle === undefined ? readMatrix(down) : throughCore(readMatrix(down), middle),
  ];
  const count = outer.rows * inner.columns;
  const sum = differenceAdapter({
    count,
    scale,
    doraScale,
    compute: () => multiply(...readFactors(), scratch).values,
  });

  const isPlain = middle === undefined && doraScale === undefined;
  return {
    product: isPlain ? { up, down, factor: scale } : undefined,
    mismatch: (shape) =>
      fault ??
      reshapeMismatch(reshape, shape) ??
      countMismatch(count, shape) ??
      decompositionMismatch(doraScale, shape),
    apply(values, shape, strength) {
      if (doraScale !== undefined) {
        sum.apply(values, shape, strength);
        return;
      }
      // The same sum without the difference in memory.
      const [a, b] = readFactors();
      addProduct(values, a.values, b.values, a.rows, a.columns, b.columns, strength * scale);
    },
  } satisfies Adapter;
};

/** ComfyUI pads the weight to `reshape_weight`; the layers of models read here keep their size. */
function reshapeMismatch(reshape: Weight | undefined, shape: readonly number[]): string | undefined {
  if (reshape === undefined) return undefined;
  const wanted = [...readValues(reshape)];
  if (wanted.join() === shape.join()) return undefined;
  return `its reshape_weight is [${wanted.join(', ')}], the weight [${shape.join(', ')}]`;
}

function faultOf(up: Weight, down: Weight, middle: Weight | undefined): string | undefined {
  const rank = matrixShape(up).columns;
  if (middle === undefined) {
    if (rank === matrixShape(down).rows) return undefined;
    return `its factors [${up.shape.join(', ')}] and [${down.shape.join(', ')}] don't multiply`;
  }
  if (middle.shape.length === 4 && middle.shape[0] === rank && middle.shape[1] === down.shape[0])
    return undefined;
  return `its core [${middle.shape.join(', ')}] doesn't fit between its factors`;
}

function coreShape(down: Weight, middle: Weight): { readonly rows: number; readonly columns: number } {
  const [rows = 1, , ...kernel] = middle.shape;
  return {
    rows,
    columns: matrixShape(down).columns * kernel.reduce((product, extent) => product * extent, 1),
  };
}

/** down (r×in) carried through a core r'×r×k×l: r'×(in·k·l). */
function throughCore(down: Matrix, middle: Weight): Matrix {
  const [outer = 1, rank = 1, ...kernel] = middle.shape;
  const positions = kernel.reduce((product, extent) => product * extent, 1);
  const core = swapFirstAxes(readValues(middle), outer, rank, positions);
  const product = multiply(transpose(down), { rows: rank, columns: outer * positions, values: core });
  return {
    rows: outer,
    columns: down.columns * positions,
    values: swapFirstAxes(product.values, down.columns, outer, positions),
  };
}
