/**
 * A graph lowered for CUDA at given extents, as data: instructions over views of one arena. Nothing here knows a driver; the
 * native engine executes it, and so does the plain interpreter of the tests.
 *
 * Every tensor is a matrix, rows × channels: an image is N·H·W rows (NHWC), tokens are N·T rows, a vector is one row. Rows lie
 * `stride` elements apart, a multiple of 8, so that a row begins at 16 bytes; what lies between a view's last column and the
 * next multiple of 8 is finite, and the weights that meet it are zero.
 */
import type { Activation } from '../../epilogue.js';
import type { Weight } from '../../weight.js';

/** `half` is what the program's precision says; `float` is float32. */
export type Element = 'half' | 'float' | 'int';

/** What `half` stands for: bfloat16 has float32's range and 8 bits, float16 reaches 65504 and has 11. */
export type HalfFormat = 'f16' | 'bf16';

export const ELEMENT_BYTES: Readonly<Record<Element, number>> = { half: 2, float: 4, int: 4 };

/** Channels are padded to whole vectors of 16 bytes. */
export const VECTOR = 8;

export interface Buffer {
  readonly element: Element;
  readonly bytes: number;
  /** The first and the last instruction that touches it. */
  readonly from: number;
  readonly to: number;
  /** Bytes from the start of the arena. */
  readonly offset: number;
}

/** A matrix within a buffer. */
export interface View {
  readonly buffer: number;
  readonly element: Element;
  readonly rows: number;
  readonly columns: number;
  /** Elements from a row to the next. */
  readonly stride: number;
  /** Elements from the buffer's start to the first. */
  readonly offset: number;
}

/** What a product computes on its way out, in this order: + bias, + sums, activation (or geglu), + residual. */
export interface ProductEpilogue {
  readonly bias: number | undefined;
  /** One row for every `rowsPerSum` rows of the result. */
  readonly sums: View | undefined;
  readonly rowsPerSum: number;
  readonly activation: Activation | 'geglu' | undefined;
  readonly residual: View | undefined;
}

/** Where a convolution's rows come from: the pixels of `batch` images, enlarged to `height`×`width` by nearest neighbour. */
export interface Window {
  readonly batch: number;
  readonly storedHeight: number;
  readonly storedWidth: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride: number;
  readonly top: number;
  readonly left: number;
}

/** out = epilogue(x · weightᵀ); with a window, x is read as a convolution reads it (inner = taps × padded channels). */
export interface ProductInstruction extends ProductEpilogue {
  readonly kind: 'product';
  readonly x: View;
  readonly weight: number;
  readonly window: Window | undefined;
  readonly out: View;
  /** For geglu where no fused kernel is taken: the product before it, pairs side by side. */
  readonly scratch: View | undefined;
}

export interface GroupNormInstruction {
  readonly kind: 'group_norm';
  readonly x: View;
  readonly out: View;
  readonly weight: number;
  readonly bias: number;
  readonly batch: number;
  readonly groups: number;
  readonly epsilon: number;
  readonly silu: boolean;
  /** Sum and sum of squares, shifted, of each group in each of `parts` runs of pixels: batch·parts rows × 2·groups. */
  readonly scratch: View;
  readonly parts: number;
}

export interface AttentionInstruction {
  readonly kind: 'attention';
  readonly query: View;
  readonly key: View;
  readonly value: View;
  readonly out: View;
  readonly batch: number;
  readonly heads: number;
  readonly causal: boolean;
}

export type Instruction =
  /** A graph's input from the host, float32 (or int32 as it is): planes N×C×pixels become rows, rows stay rows. */
  | { readonly kind: 'import'; readonly name: string; readonly out: View; readonly pixels: number }
  /** A graph's output to the host as float32, likewise. */
  | { readonly kind: 'export'; readonly name: string; readonly x: View; readonly pixels: number }
  | ProductInstruction
  | GroupNormInstruction
  | {
      readonly kind: 'layer_norm';
      readonly x: View;
      readonly out: View;
      readonly weight: number;
      readonly bias: number;
      readonly epsilon: number;
    }
  | AttentionInstruction
  | { readonly kind: 'activate'; readonly x: View; readonly out: View; readonly function: Activation }
  /** Columns (a, b) in halves. */
  | { readonly kind: 'geglu'; readonly x: View; readonly out: View }
  | { readonly kind: 'add'; readonly a: View; readonly b: View; readonly out: View }
  | { readonly kind: 'scale'; readonly x: View; readonly out: View; readonly factor: number }
  /** The first `channels` columns times `factor`, or 1 + (factor − 1) · the row's number of `map`. */
  | {
      readonly kind: 'scale_channels';
      readonly x: View;
      readonly map: View | undefined;
      readonly out: View;
      readonly channels: number;
      readonly factor: number;
    }
  /** The mean over columns, stretched to 0…1 in each picture; or the Fourier modes 0 and −1 of both axes times `factor`. */
  | {
      readonly kind: 'mean_map' | 'low_frequencies';
      readonly x: View;
      readonly out: View;
      readonly batch: number;
      readonly height: number;
      readonly width: number;
      readonly factor: number;
    }
  /** Multiplies negative values by `slope`. */
  | { readonly kind: 'leaky_relu'; readonly x: View; readonly out: View; readonly slope: number }
  /** The same with a slope for each column. */
  | { readonly kind: 'prelu'; readonly x: View; readonly out: View; readonly weight: number }
  | {
      readonly kind: 'add_per_channel';
      readonly x: View;
      readonly v: View;
      readonly out: View;
      readonly rowsPerSum: number;
    }
  /** Row r of x takes row r mod `period` of the weight. */
  | {
      readonly kind: 'add_rows';
      readonly x: View;
      readonly out: View;
      readonly weight: number;
      readonly period: number;
    }
  | { readonly kind: 'copy'; readonly x: View; readonly out: View }
  | {
      /** By nearest neighbour; or a pixel's columns become pixels of their own (torch's pixel_shuffle), and the inverse. */
      readonly kind: 'resize' | 'pixel_shuffle' | 'pixel_unshuffle';
      readonly x: View;
      readonly out: View;
      readonly batch: number;
      readonly height: number;
      readonly width: number;
      readonly outHeight: number;
      readonly outWidth: number;
    }
  /** Row `index[n]` of the n-th run of `period` rows. */
  | {
      readonly kind: 'select_row';
      readonly x: View;
      readonly index: View;
      readonly out: View;
      readonly period: number;
    };

/**
 * `rows`: as stored, outputs × inputs. `taps`: a convolution's O×I×kH×kW as O×(kH·kW·I), channels innermost, as NHWC reads them.
 * `pairs`: geglu's rows a, b in halves as a₀ b₀ a₁ b₁ …, so that a tile of results holds both factors. `vector`: float32.
 */
export type WeightLayout = 'rows' | 'taps' | 'pairs' | 'vector';

export interface PackedWeight {
  /** One below the other; an absent bias among present ones is a number of zeros. */
  readonly parts: readonly (Weight | number)[];
  readonly layout: WeightLayout;
  readonly element: 'half' | 'float';
  /** Rows that parts fill; they are followed by zeros to a multiple of 8. */
  readonly rows: number;
  /** Values of a row, padding of channels included. */
  readonly columns: number;
  /** Taps of a row, each of which is `columns / taps` wide. */
  readonly taps: number;
  /** Bytes from the start of the program's weights. */
  readonly offset: number;
  readonly bytes: number;
}

export interface PortShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly element: 'float' | 'int';
}

export interface CudaProgram {
  readonly name: string;
  readonly precision: HalfFormat;
  readonly inputs: readonly PortShape[];
  readonly outputs: readonly PortShape[];
  readonly instructions: readonly Instruction[];
  /** The layer that each instruction computes, for traces and errors. */
  readonly layers: readonly string[];
  readonly buffers: readonly Buffer[];
  readonly arenaBytes: number;
  readonly weights: readonly PackedWeight[];
  readonly weightBytes: number;
}

export function padded(columns: number): number {
  return Math.ceil(columns / VECTOR) * VECTOR;
}

export function columnsOf(view: View, column: number, columns: number): View {
  return { ...view, columns, offset: view.offset + column };
}

/** The views that an instruction reads, and those that it writes. */
export function touched(instruction: Instruction): { readonly reads: View[]; readonly writes: View[] } {
  const given = (...views: (View | undefined)[]): View[] => views.filter((view) => view !== undefined);
  switch (instruction.kind) {
    case 'import':
      return { reads: [], writes: [instruction.out] };
    case 'export':
      return { reads: [instruction.x], writes: [] };
    case 'product': {
      const { x, sums, residual, out, scratch } = instruction;
      return { reads: given(x, sums, residual), writes: given(out, scratch) };
    }
    case 'group_norm':
      return { reads: [instruction.x], writes: [instruction.out, instruction.scratch] };
    case 'attention':
      return { reads: [instruction.query, instruction.key, instruction.value], writes: [instruction.out] };
    case 'add':
      return { reads: [instruction.a, instruction.b], writes: [instruction.out] };
    case 'add_per_channel':
      return { reads: [instruction.x, instruction.v], writes: [instruction.out] };
    case 'scale_channels':
      return { reads: given(instruction.x, instruction.map), writes: [instruction.out] };
    case 'select_row':
      return { reads: [instruction.x, instruction.index], writes: [instruction.out] };
    case 'layer_norm':
    case 'activate':
    case 'geglu':
    case 'scale':
    case 'mean_map':
    case 'low_frequencies':
    case 'leaky_relu':
    case 'prelu':
    case 'add_rows':
    case 'copy':
    case 'resize':
    case 'pixel_shuffle':
    case 'pixel_unshuffle':
      return { reads: [instruction.x], writes: [instruction.out] };
  }
}
