import type { CudaContext, CudaNode } from '../lowering/cuda/context.js';
import { columnsOf } from '../lowering/cuda/program.js';
import { formatShape } from '../dim.js';
import { checkVector, weightShape, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
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
    channelMajor({ x, weight, bias }, context, epilogue) {
      const [outputs, inputs] = weight.shape as [number, number];
      const operands = [x, epilogue.residual].map((value) => value && context.name(value));
      return context.kernel('Linear', operands, {
        inputs,
        outputs,
        weight: context.weights.matrix(weight),
        bias: context.weights.vector(bias),
        ...fusedActivation(context, epilogue, outputs),
      });
    },
  },
  cuda: lowerCuda,
  takes: (_, epilogue, step) => step.part !== 'sums' && productTakes(epilogue, step),
});
