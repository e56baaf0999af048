import type { CudaContext, CudaNode } from '../lowering/cuda/context.js';
import { columnsOf } from '../lowering/cuda/program.js';
import { formatShape } from '../dim.js';
import { checkVector, weightShape, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { readStored } from '../stored-values.js';
import { separateProducts, wholeUp, type LowRankProduct, type Weight } from '../weight.js';
import type { Epilogue } from '../epilogue.js';
import type { ChannelMajorContext } from '../lowering/onnx/channel-major-context.js';
import { elementCount } from '../tensor.js';
import { KERNEL_ACTIVATION } from '../../native/kernel-numbers.js';
import { defineOperation } from './definition.js';
import { fusedActivation, productEpilogue, productFlops, productTakes } from './shared/products.js';

/** x·Wᵀ + b on the last axis; x has two or three axes. */
export interface Linear {
  readonly kind: 'linear';
  readonly x: Value;
  readonly weight: Weight;
  readonly bias: Weight | undefined;
}

/** Layers of one operand are one product, at the first of them; the others' results are columns of it. */
function lowerCuda(operation: Linear, context: CudaContext, node: CudaNode): void {
  const siblings = context.siblings(node.output);
  const x = context.view(operation.x);
  if (siblings === undefined) {
    const layout = node.epilogue.activation === 'geglu' ? 'pairs' : 'rows';
    context.emit({
      kind: 'product',
      x,
      window: undefined,
      weight: context.weights.matrix([operation.weight], layout),
      ...productEpilogue(node, operation.bias, context),
    });
    return;
  }
  if (siblings[0]!.output !== node.output) return;
  const rows = context.rows(node.output);
  const widths = siblings.map(({ weight }) => weight.shape[0]!);
  const columns = widths.reduce((sum, width) => sum + width, 0);
  const out = context.allocate('half', rows, columns);
  let column = 0;
  siblings.forEach(({ output }, index) => {
    context.bind(output, columnsOf(out, column, widths[index]!));
    column += widths[index]!;
  });
  const matrices = siblings.map(({ weight }) => weight);
  context.emit({
    kind: 'product',
    x,
    window: undefined,
    out,
    scratch: undefined,
    weight: context.weights.matrix(matrices, 'rows'),
    bias: context.weights.vector(siblings.map(({ bias, weight }) => bias ?? weight.shape[0]!)),
    sums: undefined,
    rowsPerSum: rows,
    activation: undefined,
    residual: undefined,
  });
}

/** Products that are better not added to the weight are computed beside it; what they come to is a residual. */
function lowerChannelMajor(
  { x, weight, bias }: Linear,
  context: ChannelMajorContext,
  epilogue: Epilogue,
): string {
  const input = context.name(x);
  const residual = epilogue.residual && context.name(epilogue.residual);
  const product = (of: Weight, from: string, options: ProductOptions = {}) => {
    const [outputs, inputs] = of.shape as [number, number];
    return context.kernel('Linear', [from, options.residual], {
      inputs,
      outputs,
      weight: context.weights.matrix(of),
      bias: context.weights.vector(options.bias),
      ...fusedActivation(context, options.epilogue ?? {}, outputs),
    });
  };
  const { activation, slope } = epilogue;
  const separate = activation === 'geglu' || slope !== undefined ? undefined : separateProducts(weight);
  if (separate === undefined) return product(weight, input, { bias, residual, epilogue });

  const rows = weight.shape[0]!;
  const beside = separate.products.reduce<string | undefined>(
    (sum, each) => product(scaledUp(each, rows), product(asMatrix(each.down), input), { residual: sum }),
    activation === undefined ? residual : undefined,
  );
  const base: Weight = {
    name: weight.name,
    shape: weight.shape,
    stored: separate.base,
    read: (into) => {
      readStored(separate.base, into);
    },
  };
  const sum = product(base, input, { bias, residual: beside });
  if (activation === undefined) return sum;
  const activated = context.kernel('Activate', [sum], { activation: KERNEL_ACTIVATION[activation] });
  return residual === undefined ? activated : context.node('Add', [activated, residual]);
}

interface ProductOptions {
  readonly bias?: Weight | undefined;
  readonly residual?: string | undefined;
  readonly epilogue?: Epilogue;
}

/** A product's factors as the matrices of two layers; the factor is the second's. */
function asMatrix(weight: Weight): Weight {
  const [rows = 1, ...rest] = weight.shape;
  return { ...weight, shape: [rows, elementCount(rest)] };
}

function scaledUp(product: LowRankProduct, rows: number): Weight {
  const { factor } = product;
  const up = asMatrix(wholeUp(product, rows));
  return {
    ...up,
    ...(up.stored === undefined ? {} : { stored: { ...up.stored, scale: (up.stored.scale ?? 1) * factor } }),
    read(into) {
      up.read(into);
      into.forEach((value, index) => (into[index] = value * factor));
    },
  };
}

export const linear = defineOperation<Linear>()({
  kind: 'linear',
  operands: { x: true },
  weights: { weight: true, bias: true },
  build: {
    linear(graph: NodeBuilder<Linear>, x: Value, weight: Weight, bias?: Weight): Value {
      const [outputs, inputs] = weightShape(graph, weight, 2);
      graph.check(
        x.shape.at(-1) === inputs,
        `linear needs ${inputs} features for ${weight.name}, got ${formatShape(x.shape)}`,
      );
      checkVector(graph, bias, outputs, weight);
      return graph.emit({ kind: 'linear', x, weight, bias }, [...x.shape.slice(0, -1), outputs]);
    },
  },
  cost: ({ weight, bias }, { results }) => ({ flops: productFlops(results, weight, bias) }),
  onnx: {
    plain({ x, weight, bias }, context) {
      const matrix = context.weight(weight);
      const operands = [context.name(x), matrix];
      const product = context.nodeIn('com.microsoft', 'FusedMatMul', operands, { transB: 1 });
      return bias === undefined ? product : context.node('Add', [product, context.weight(bias)]);
    },
    channelMajor: lowerChannelMajor,
  },
  cuda: lowerCuda,
  takes: (_, epilogue, step) => step.part !== 'sums' && productTakes(epilogue, step),
});
