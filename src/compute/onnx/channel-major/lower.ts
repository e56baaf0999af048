import { lastOf, planFusions } from '../../fusion.js';
import type { Graph } from '../../graph.js';
import { definitionOf } from '../../operation.js';
import { OnnxModel } from '../../lowering/onnx/model.js';
import { ChannelMajorContext } from '../../lowering/onnx/channel-major-context.js';
import { planJoins } from './joins.js';
import type { WeightTable } from '../../lowering/onnx/weight-table.js';

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
    if (node !== lastOf(fusion)) continue;
    const parts = joins.get(node.output.id);
    if (parts !== undefined) {
      context.bindParts(node.output, parts);
      continue;
    }
    const [{ layer, operation }] = fusion.nodes;
    context.enter(layer);
    const name = definitionOf(operation).onnx.channelMajor(operation, context, fusion.epilogue);
    context.bind(node.output, name);
  }
  for (const { name, value } of graph.outputs) {
    const result = context.toGraphOrder(context.name(value), value.shape.length);
    model.output(name, result, value.dtype, value.shape);
  }
  return { model, weights: context.weights };
}
