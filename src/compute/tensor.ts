/** Values that flow between nodes, samplers and programs: dense, row-major, on the host. */

export type TensorData = Float32Array | Int32Array;

/** A dense row-major array; `data.length` is the product of `shape`. */
export interface Tensor<Data extends TensorData = Float32Array> {
  readonly shape: readonly number[];
  readonly data: Data;
}

/** Number of elements of a shape; 1 for a scalar's empty shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** A float32 tensor over `data` (zeros when left out). Throws `RangeError` when the lengths disagree. */
export function tensor(
  shape: readonly number[],
  data: Float32Array = new Float32Array(elementCount(shape)),
): Tensor {
  if (data.length !== elementCount(shape)) {
    throw new RangeError(
      `a tensor of shape [${shape.join(', ')}] needs ${elementCount(shape)} values, got ${data.length}`,
    );
  }
  return { shape, data };
}
