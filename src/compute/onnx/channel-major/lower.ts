import type { Graph, Operation } from '../../graph.js';
import { OnnxModel } from '../model.js';
import { ChannelMajorContext } from './context.js';
import { planFusions, planJoins } from './fusion.js';
import { CHANNEL_MAJOR_LOWERINGS, type ChannelMajorLowering } from './operations.js';
import type { WeightTable } from './weight-table.js';

export interface ChannelMajorModel {
  readonly model: OnnxModel;
  readonly weights: WeightTable;
}

/**
 * Writes a graph for our kernels: an ONNX model whose heavy nodes are of the domain `latentd`. Symbolic extents stay dynamic,
 * and no weight is copied that lies in a mapped file.
 */
export function lowerChannelMajor(graph: Graph): ChannelMajorModel {
  const model = new OnnxModel(graph.name);
  const context = new ChannelMajorContext(model);
  for (const { name, value } of graph.inputs) {
    const given = model.input(name, value.dtype, value.shape);
    context.bind(value, context.fromGraphOrder(given, value.shape.length));
  }
  const plan = planFusions(graph, { leaky: true });
  const joins = planJoins(graph);
  for (const node of graph.nodes) {
    const fusion = plan.get(node)!;
    if (node !== fusion.nodes.at(-1)) continue;
    if (joins.has(node.output.id)) {
      context.bindParts(node.output, joins.get(node.output.id)!);
      continue;
    }
    const { layer, operation } = fusion.nodes[0]!;
    context.enter(layer);
    // The table pairs each kind with its own lowering; TypeScript can't follow the pairing through a lookup by union.
    const lower = CHANNEL_MAJOR_LOWERINGS[operation.kind] as ChannelMajorLowering<Operation['kind']>;
    context.bind(node.output, lower(operation, context, fusion));
  }
  for (const { name, value } of graph.outputs) {
    const result = context.toGraphOrder(context.name(value), value.shape.length);
    model.output(name, result, value.dtype, value.shape);
  }
  return { model, weights: context.weights };
}
