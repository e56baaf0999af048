/**
 * Runs a CUDA program with plain loops, in the arena that its plan describes: what lowering, fusion, layouts and the memory plan
 * must agree with, and what the card's kernels are compared with.
 */
import type { NamedTensors } from '../../../../src/compute/backend.js';
import type {
  AttentionInstruction,
  CudaProgram,
  GroupNormInstruction,
  Instruction,
  HalfFormat,
} from '../../../../src/compute/lowering/cuda/program.js';
import { packWeight } from '../../../../src/compute/lowering/cuda/weights.js';
import { tensor, type Tensor } from '../../../../src/compute/tensor.js';
import { activate } from './activate.js';
import { Memory, roundingOf } from './memory.js';
import { product, type PlainWeight, type Weights } from './product.js';

/** `rounding` stores every half as the card would; otherwise all is float32. */
export function interpret(
  program: CudaProgram,
  inputs: NamedTensors,
  rounding: HalfFormat | 'none' = 'none',
): Record<string, Tensor> {
  const round = roundingOf(rounding);
  const memory = new Memory(program, round);
  const packed = new Map<number, PlainWeight>();
  const weights: Weights = (index) => {
    const known = packed.get(index);
    if (known !== undefined) return known;
    const entry = program.weights[index]!;
    const values = packWeight(entry);
    const weight = { values: entry.element === 'half' ? values.map(round) : values, columns: entry.columns };
    packed.set(index, weight);
    return weight;
  };
  const outputs = Object.fromEntries(program.outputs.map(({ name, shape }) => [name, tensor(shape)]));
  program.instructions.forEach((instruction, time) => {
    memory.begin(time);
    execute(instruction, memory, weights, inputs, outputs);
  });
  return outputs;
}

function execute(
  instruction: Instruction,
  memory: Memory,
  weights: Weights,
  inputs: NamedTensors,
  outputs: Readonly<Record<string, Tensor>>,
): void {
  switch (instruction.kind) {
    case 'import': {
      const { data } = inputs[instruction.name]!;
      const { pixels, out } = instruction;
      memory.fill(out, (row, column) => data[placeIn(pixels, out.columns, row, column)]!);
      return;
    }
    case 'export': {
      const { data } = outputs[instruction.name]!;
      const { x, pixels } = instruction;
      for (let row = 0; row < x.rows; row++) {
        for (let column = 0; column < x.columns; column++) {
          data[placeIn(pixels, x.columns, row, column)] = memory.read(x, row, column);
        }
      }
      return;
    }
    case 'product':
      product(instruction, memory, weights);
      return;
    case 'group_norm':
      groupNorm(instruction, memory, weights);
      return;
    case 'layer_norm': {
      const { x, out, epsilon } = instruction;
      const [weight, bias] = [weights(instruction.weight).values, weights(instruction.bias).values];
      for (let row = 0; row < x.rows; row++) {
        const values = Array.from({ length: x.columns }, (_, column) => memory.read(x, row, column));
        const { mean, scale } = moments(values, epsilon);
        values.forEach((value, column) => {
          memory.write(out, row, column, (value - mean) * scale * weight[column]! + bias[column]!);
        });
      }
      return;
    }
    case 'attention':
      attention(instruction, memory);
      return;
    case 'activate': {
      const { x, function: name } = instruction;
      memory.fill(instruction.out, (row, column) => activate(name, memory.read(x, row, column)));
      return;
    }
    case 'geglu': {
      const { x, out } = instruction;
      memory.fill(
        out,
        (row, column) =>
          memory.read(x, row, column) * activate('gelu', memory.read(x, row, out.columns + column)),
      );
      return;
    }
    case 'add': {
      const { a, b } = instruction;
      memory.fill(
        instruction.out,
        (row, column) => memory.read(a, row, column) + memory.read(b, row, column),
      );
      return;
    }
    case 'scale': {
      const { x, factor } = instruction;
      memory.fill(instruction.out, (row, column) => memory.read(x, row, column) * factor);
      return;
    }
    case 'scale_channels': {
      const { x, map, channels, factor } = instruction;
      memory.fill(instruction.out, (row, column) => {
        const share = map === undefined ? 1 : memory.read(map, row, 0);
        return memory.read(x, row, column) * (column < channels ? 1 + (factor - 1) * share : 1);
      });
      return;
    }
    case 'mean_map': {
      const { x, out, height, width } = instruction;
      const means = Array.from({ length: x.rows }, (_, row) => {
        let sum = 0;
        for (let column = 0; column < x.columns; column++) sum += memory.read(x, row, column);
        return sum / x.columns;
      });
      memory.fill(out, (row) => {
        const from = row - (row % (height * width));
        const picture = means.slice(from, from + height * width);
        const [least, greatest] = [Math.min(...picture), Math.max(...picture)];
        return (means[row]! - least) / (greatest - least);
      });
      return;
    }
    case 'low_frequencies':
      lowFrequencies(instruction, memory);
      return;
    case 'leaky_relu':
    case 'prelu': {
      const { x } = instruction;
      const slopes = instruction.kind === 'prelu' ? weights(instruction.weight).values : undefined;
      memory.fill(instruction.out, (row, column) => {
        const value = memory.read(x, row, column);
        const slope = instruction.kind === 'prelu' ? slopes![column]! : instruction.slope;
        return value < 0 ? value * slope : value;
      });
      return;
    }
    case 'pixel_shuffle':
    case 'pixel_unshuffle': {
      const { x, out, height, width, outHeight, outWidth } = instruction;
      const apart = instruction.kind === 'pixel_shuffle';
      const factor = apart ? outWidth / width : width / outWidth;
      // From each of the larger image's numbers to the smaller's, or back.
      const [large, small, largeHeight, largeWidth] = apart
        ? ([out, x, outHeight, outWidth] as const)
        : ([x, out, height, width] as const);
      for (let row = 0; row < large.rows; row++) {
        const image = Math.floor(row / (largeHeight * largeWidth));
        const y = Math.floor(row / largeWidth) % largeHeight;
        const place = row % largeWidth;
        const other =
          (image * (largeHeight / factor) + Math.floor(y / factor)) * (largeWidth / factor) +
          Math.floor(place / factor);
        for (let column = 0; column < large.columns; column++) {
          const wide = column * factor ** 2 + (y % factor) * factor + (place % factor);
          if (apart) memory.write(out, row, column, memory.read(small, other, wide));
          else memory.write(out, other, wide, memory.read(large, row, column));
        }
      }
      return;
    }
    case 'add_per_channel': {
      const { x, v, rowsPerSum } = instruction;
      memory.fill(
        instruction.out,
        (row, column) => memory.read(x, row, column) + memory.read(v, Math.floor(row / rowsPerSum), column),
      );
      return;
    }
    case 'add_rows': {
      const { x, period } = instruction;
      const { values, columns } = weights(instruction.weight);
      memory.fill(
        instruction.out,
        (row, column) => memory.read(x, row, column) + values[(row % period) * columns + column]!,
      );
      return;
    }
    case 'copy':
      memory.fill(instruction.out, (row, column) => memory.read(instruction.x, row, column));
      return;
    case 'resize': {
      const { x, height, width, outHeight, outWidth } = instruction;
      memory.fill(instruction.out, (row, column) => {
        const image = Math.floor(row / (outHeight * outWidth));
        const y = Math.floor(((Math.floor(row / outWidth) % outHeight) * height) / outHeight);
        const from = Math.floor(((row % outWidth) * width) / outWidth);
        return memory.read(x, (image * height + y) * width + from, column);
      });
      return;
    }
    case 'select_row': {
      const { x, index, period } = instruction;
      memory.fill(instruction.out, (row, column) =>
        memory.read(x, row * period + memory.read(index, row, 0), column),
      );
    }
  }
}

/** Transforms each picture's columns at four frequencies, and adds (factor − 1) times what these are of it. */
function lowFrequencies(
  { x, out, batch, height, width, factor }: Extract<Instruction, { kind: 'mean_map' | 'low_frequencies' }>,
  memory: Memory,
): void {
  const pixels = height * width;
  const modes = [0, -1]
    .slice(0, height)
    .flatMap((ky) => [0, -1].slice(0, width).map((kx) => [ky, kx] as const));
  const angle = (pixel: number, [ky, kx]: readonly [number, number]): number =>
    2 * Math.PI * ((ky * Math.floor(pixel / width)) / height + (kx * (pixel % width)) / width);
  for (let image = 0; image < batch; image++) {
    for (let column = 0; column < x.columns; column++) {
      const values = Array.from({ length: pixels }, (_, pixel) =>
        memory.read(x, image * pixels + pixel, column),
      );
      const change = new Float64Array(pixels);
      for (const mode of modes) {
        let [cosines, sines] = [0, 0];
        values.forEach((value, pixel) => {
          cosines += value * Math.cos(angle(pixel, mode));
          sines -= value * Math.sin(angle(pixel, mode));
        });
        change.forEach((_, pixel) => {
          change[pixel]! +=
            (cosines * Math.cos(angle(pixel, mode)) - sines * Math.sin(angle(pixel, mode))) / pixels;
        });
      }
      values.forEach((value, pixel) => {
        memory.write(out, image * pixels + pixel, column, value + (factor - 1) * change[pixel]!);
      });
    }
  }
}

/** Where element (row, column) lies in the graph's order: N×C×pixels for images, row by row otherwise. */
function placeIn(pixels: number, columns: number, row: number, column: number): number {
  const image = Math.floor(row / pixels);
  return pixels === 1 ? row * columns + column : (image * columns + column) * pixels + (row % pixels);
}

function moments(values: readonly number[], epsilon: number): { mean: number; scale: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, scale: 1 / Math.sqrt(variance + epsilon) };
}

function groupNorm(instruction: GroupNormInstruction, memory: Memory, weights: Weights): void {
  const { x, out, batch, groups, epsilon, silu } = instruction;
  const [weight, bias] = [weights(instruction.weight).values, weights(instruction.bias).values];
  const pixels = x.rows / batch;
  const width = x.columns / groups;
  const result = new Float64Array(x.rows * x.columns);
  for (let image = 0; image < batch; image++) {
    for (let group = 0; group < groups; group++) {
      const values: number[] = [];
      for (let pixel = 0; pixel < pixels; pixel++) {
        for (let c = 0; c < width; c++)
          values.push(memory.read(x, image * pixels + pixel, group * width + c));
      }
      const { mean, scale } = moments(values, epsilon);
      values.forEach((value, index) => {
        const column = group * width + (index % width);
        const normed = (value - mean) * scale * weight[column]! + bias[column]!;
        const row = image * pixels + Math.floor(index / width);
        result[row * x.columns + column] = silu ? activate('silu', normed) : normed;
      });
    }
  }
  memory.fill(out, (row, column) => result[row * x.columns + column]!);
}

function attention(
  { query, key, value, out, batch, heads, causal }: AttentionInstruction,
  memory: Memory,
): void {
  const [queries, keys] = [query.rows / batch, key.rows / batch];
  const width = query.columns / heads;
  for (let image = 0; image < batch; image++) {
    for (let head = 0; head < heads; head++) {
      const from = head * width;
      for (let q = 0; q < queries; q++) {
        const row = image * queries + q;
        const visible = causal ? Math.min(q + 1, keys) : keys;
        const scores = Array.from({ length: visible }, (_, k) => {
          let sum = 0;
          for (let c = from; c < from + width; c++) {
            sum += memory.read(query, row, c) * memory.read(key, image * keys + k, c);
          }
          return sum / Math.sqrt(width);
        });
        const most = scores.reduce((a, b) => Math.max(a, b));
        const shares = scores.map((score) => Math.exp(score - most));
        const total = shares.reduce((a, b) => a + b);
        for (let c = from; c < from + width; c++) {
          let sum = 0;
          for (let k = 0; k < visible; k++) sum += shares[k]! * memory.read(value, image * keys + k, c);
          memory.write(out, row, c, sum / total);
        }
      }
    }
  }
}
