/** What convolutions and linear layers have in common. */
import type { Epilogue, EpilogueStep } from '../../epilogue.js';
import type { CudaContext, CudaNode } from '../../lowering/cuda/context.js';
import { VECTOR, type ProductEpilogue, type View } from '../../lowering/cuda/program.js';
import { KERNEL_ACTIVATION } from '../../../native/kernel-numbers.js';
import type { ChannelMajorContext } from '../../lowering/onnx/channel-major-context.js';
import type { Attributes } from '../../lowering/onnx/model.js';
import { elementCount } from '../../tensor.js';
import { UnsupportedOperation } from '../../unsupported.js';
import type { Weight } from '../../weight.js';

/** FLOPs of so many results, each a row of the weight times what it meets. */
export function productFlops(results: number, weight: Weight, bias: Weight | undefined): number {
  const inner = elementCount(weight.shape.slice(1));
  return results * (2 * inner + (bias === undefined ? 0 : 1));
}

/** Sums per channel, then an activation, then a residual: a step fits when none of its own or of a later kind is there. */
export function productTakes(epilogue: Epilogue, { part }: EpilogueStep): boolean {
  if (epilogue.residual !== undefined) return false;
  if (part === 'residual') return true;
  if (epilogue.activation !== undefined || epilogue.slope !== undefined) return false;
  return part !== 'sums' || epilogue.sums === undefined;
}

/** Attributes of our kernels: the activation of the epilogue, and the slopes of a leaky one. */
export function fusedActivation(
  context: ChannelMajorContext,
  epilogue: Epilogue,
  outputs: number,
): Attributes {
  const { slope } = epilogue;
  const activation = slope === undefined ? (epilogue.activation ?? 'none') : 'leaky_relu';
  const slopes = typeof slope === 'number' ? constantWeight(outputs, slope) : slope;
  return { activation: KERNEL_ACTIVATION[activation], slopes: context.weights.vector(slopes) };
}

function constantWeight(count: number, value: number): Weight {
  return { name: 'constant', shape: [count], read: (into) => void into.fill(value) };
}

/** Operands of a product's epilogue on CUDA, and where its result goes. */
export function productEpilogue(
  { epilogue, output, result }: CudaNode,
  bias: Weight | undefined,
  context: CudaContext,
): ProductEpilogue & { readonly out: View; readonly scratch: View | undefined } {
  const { sums, activation, residual } = epilogue;
  const rows = context.rows(output);
  const pairs = activation === 'geglu';
  const added = sums && context.view(sums);
  const out = context.place(result);
  if (pairs && out.columns % VECTOR !== 0) {
    throw new UnsupportedOperation(`the CUDA engine has geglu for multiples of ${VECTOR} columns`);
  }
  return {
    bias: bias && context.weights.vector([bias], pairs ? 'pairs' : 'vector'),
    sums: added,
    rowsPerSum: added === undefined ? rows : rows / added.rows,
    activation,
    residual: residual && context.view(residual),
    out,
    scratch: pairs ? context.allocate('half', rows, 2 * out.columns) : undefined,
  };
}
