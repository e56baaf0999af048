/** Programs in the numbers that the CUDA addon reads (native/cuda/decode.cc). */
import type { EncodedInstruction, EncodedPort, EncodedProgram } from '../../native/cuda-addon.js';
import { CUDA_ACTIVATION, CUDA_ELEMENT, CUDA_ELEMENTWISE, CUDA_KIND } from '../../native/kernel-numbers.js';
import { elementCount } from '../tensor.js';
import {
  ELEMENT_BYTES,
  padded,
  type CudaProgram,
  type Instruction,
  type View,
  type Window,
} from '../lowering/cuda/program.js';

export function encodeProgram(program: CudaProgram): EncodedProgram {
  const view = (given: View | undefined): object | undefined =>
    given && {
      offset: program.buffers[given.buffer]!.offset + given.offset * ELEMENT_BYTES[given.element],
      stride: given.stride,
      rows: given.rows,
      columns: given.columns,
      element: CUDA_ELEMENT[given.element],
    };
  return {
    arenaBytes: program.arenaBytes,
    inputs: program.inputs.map(encodePort),
    outputs: program.outputs.map(encodePort),
    instructions: program.instructions.map((instruction, index) => ({
      layer: program.layers[index]!,
      ...encodeInstruction(instruction, view, program),
    })),
  };
}

function encodePort({ name, shape, element }: CudaProgram['inputs'][number]): EncodedPort {
  return { name, count: elementCount(shape), rows: shape[0] ?? 1, integer: element === 'int' };
}

type EncodeView = (view: View | undefined) => object | undefined;

function encodeInstruction(
  instruction: Instruction,
  view: EncodeView,
  { inputs, outputs }: CudaProgram,
): Omit<EncodedInstruction, 'layer'> & { readonly kind: number } {
  switch (instruction.kind) {
    case 'import': {
      const port = inputs.findIndex(({ name }) => name === instruction.name);
      return { kind: CUDA_KIND.import, port, out: view(instruction.out), pixels: instruction.pixels };
    }
    case 'export': {
      const port = outputs.findIndex(({ name }) => name === instruction.name);
      return { kind: CUDA_KIND.export, port, x: view(instruction.x), pixels: instruction.pixels };
    }
    case 'product': {
      const { x, out, sums, residual, scratch, weight, bias, rowsPerSum, activation, window } = instruction;
      return {
        kind: CUDA_KIND.product,
        x: view(x),
        out: view(out),
        sums: view(sums),
        residual: view(residual),
        scratch: view(scratch),
        weight,
        bias,
        period: rowsPerSum,
        activation: activation === undefined ? 0 : CUDA_ACTIVATION[activation],
        window: window && encodeWindow(window, x),
      };
    }
    case 'group_norm': {
      const { x, out, scratch, weight, bias, batch, groups, parts, epsilon, silu } = instruction;
      return {
        kind: CUDA_KIND.group_norm,
        x: view(x),
        out: view(out),
        scratch: view(scratch),
        weight,
        bias,
        batch,
        groups,
        parts,
        epsilon,
        silu,
      };
    }
    case 'layer_norm': {
      const { x, out, weight, bias, epsilon } = instruction;
      return { kind: CUDA_KIND.layer_norm, x: view(x), out: view(out), weight, bias, epsilon };
    }
    case 'attention': {
      const { query, key, value, out, batch, heads, causal } = instruction;
      return {
        kind: CUDA_KIND.attention,
        x: view(query),
        key: view(key),
        value: view(value),
        out: view(out),
        batch,
        heads,
        causal,
      };
    }
    case 'mean_map':
    case 'low_frequencies': {
      const { x, out, batch, height, width, factor } = instruction;
      return { kind: CUDA_KIND[instruction.kind], x: view(x), out: view(out), batch, height, width, factor };
    }
    default:
      return {
        kind: CUDA_KIND.elementwise,
        operation: CUDA_ELEMENTWISE[instruction.kind],
        ...elementwise(instruction, view),
      };
  }
}

function elementwise(
  instruction: Extract<Instruction, { kind: keyof typeof CUDA_ELEMENTWISE }>,
  view: EncodeView,
): Record<string, unknown> {
  const out = view(instruction.out);
  switch (instruction.kind) {
    case 'add':
      return { x: view(instruction.a), other: view(instruction.b), out };
    case 'add_per_channel':
      return { x: view(instruction.x), other: view(instruction.v), out, period: instruction.rowsPerSum };
    case 'add_rows':
      return { x: view(instruction.x), out, weight: instruction.weight, period: instruction.period };
    case 'select_row':
      return { x: view(instruction.x), other: view(instruction.index), out, period: instruction.period };
    case 'activate':
      return { x: view(instruction.x), out, activation: CUDA_ACTIVATION[instruction.function] };
    case 'scale':
      return { x: view(instruction.x), out, factor: instruction.factor };
    case 'scale_channels': {
      const { x, map, channels, factor } = instruction;
      return { x: view(x), other: view(map), out, period: channels, factor };
    }
    case 'leaky_relu':
      return { x: view(instruction.x), out, factor: instruction.slope };
    case 'prelu':
      return { x: view(instruction.x), out, weight: instruction.weight };
    case 'pixel_shuffle':
    case 'pixel_unshuffle':
    case 'resize': {
      const { height, width, outHeight, outWidth } = instruction;
      return { x: view(instruction.x), out, height, width, outHeight, outWidth };
    }
    case 'geglu':
    case 'copy':
      return { x: view(instruction.x), out };
  }
}

/** native/cuda/kernels/kernels.h, struct Window, in its order */
function encodeWindow(window: Window, x: View): number[] {
  return [
    ...[window.storedHeight, window.storedWidth],
    ...[Math.log2(window.height / window.storedHeight), Math.log2(window.width / window.storedWidth)],
    ...[window.height, window.width, window.outHeight, window.outWidth],
    ...[window.kernelHeight, window.kernelWidth, window.stride, window.top, window.left],
    padded(x.columns),
  ];
}
