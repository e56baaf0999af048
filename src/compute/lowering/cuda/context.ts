/** What operations are lowered with to instructions of a CUDA program. */
import type { Epilogue } from '../../epilogue.js';
import { UnsupportedOperation } from '../../unsupported.js';
import type { Value } from '../../value.js';
import type { Weight } from '../../weight.js';
import type { Element, Instruction, View } from './program.js';
import type { PackedWeights } from './weights.js';

/** A linear layer of several that read one operand, and are computed as one product. */
export interface SiblingLayer {
  readonly output: Value;
  readonly weight: Weight;
  readonly bias: Weight | undefined;
}

export interface CudaContext {
  readonly weights: PackedWeights;
  emit(instruction: Instruction): void;
  /** The view of a value that has been computed. */
  view(value: Value): View;
  /** Where a value is to be computed: columns of a concatenation, or a buffer of its own. */
  place(value: Value): View;
  /** A value has been computed there. */
  bind(value: Value, view: View): void;
  allocate(element: Element, rows: number, columns: number): View;
  extents(value: Value): number[];
  /** Of the value's matrix: pixels of all images, tokens of all sequences. */
  rows(value: Value): number;
  /** The layers that are computed with the one whose result this is, itself among them; undefined when it is alone. */
  siblings(output: Value): readonly SiblingLayer[] | undefined;
  /** The image that `enlarged` is a power of two as large as, when only convolutions read it, out of the small one. */
  smallSource(enlarged: Value): Value | undefined;
}

/** What is lowered beside the operation's own operands. */
export interface CudaNode {
  /** The operation's own result. */
  readonly output: Value;
  /** That of the last operation fused to it, which is what is written. */
  readonly result: Value;
  readonly epilogue: Epilogue;
}

/** Channels of a value: the second axis of an image, the last one otherwise. Throws `UnsupportedOperation` for symbolic ones. */
export function channels({ shape }: Value): number {
  const extent = shape.length === 4 ? shape[1] : shape.length === 1 ? 1 : shape.at(-1);
  if (typeof extent === 'number') return extent;
  throw new UnsupportedOperation(`the CUDA engine needs channels to be known, got [${shape.join(', ')}]`);
}

/** What becomes an image of another size, and both sizes. */
export function pictureSizes(x: Value, result: Value, context: CudaContext) {
  const [batch, , height, width] = context.extents(x) as [number, number, number, number];
  const [, , outHeight, outWidth] = context.extents(result) as [number, number, number, number];
  return { x: context.view(x), out: context.place(result), batch, height, width, outHeight, outWidth };
}
