import { formatShape } from '../dim.js';
import { weightShape, type NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';

/** What heads add to scores by how far query and key lie apart: `weight` is kinds of distance × heads, `kinds` Tq×Tk; 1×heads×Tq×Tk. */
export interface RelativeBias {
  readonly kind: 'relative_bias';
  readonly kinds: Value;
  readonly weight: Weight;
}

export const relativeBias = defineOperation<RelativeBias>()({
  kind: 'relative_bias',
  operands: { kinds: true },
  weights: { weight: true },
  build: {
    relativeBias(graph: NodeBuilder<RelativeBias>, kinds: Value, weight: Weight): Value {
      const [, heads] = weightShape(graph, weight, 2);
      const [queries, keys] = kinds.shape;
      graph.check(
        kinds.dtype === 'int32' && queries !== undefined && keys !== undefined && kinds.shape.length === 2,
        `relative_bias needs Tq×Tk int32, got ${kinds.dtype} ${formatShape(kinds.shape)}`,
      );
      return graph.emit({ kind: 'relative_bias', kinds, weight }, [1, heads, queries, keys]);
    },
  },
  cost: () => ({ flops: 0 }),
  onnx: {
    plain({ kinds, weight }, context) {
      const perHead = context.node('Transpose', [context.weight(weight)], { perm: [1, 0] });
      const gathered = context.node('Gather', [perHead, context.name(kinds)], { axis: 1 });
      return context.node('Unsqueeze', [gathered, context.model.ints([0])]);
    },
    // Channel-major scores have their heads first; numbers of two axes are turned where they come in.
    channelMajor({ kinds, weight }, context) {
      const given = context.node('Transpose', [context.name(kinds)], { perm: [1, 0] });
      const perHead = context.node('Transpose', [context.constant(weight)], { perm: [1, 0] });
      const gathered = context.node('Gather', [perHead, given], { axis: 1 });
      return context.node('Unsqueeze', [gathered, context.model.ints([1])]);
    },
  },
  cuda: computedOnCpu,
});
