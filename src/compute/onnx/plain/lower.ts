import type { Graph } from '../../graph.js';
import { definitionOf } from '../../operation.js';
import { OnnxModel } from '../../lowering/onnx/model.js';
import { PlainContext } from '../../lowering/onnx/plain-context.js';

/** Writes a graph as an ONNX model whose symbolic extents stay dynamic. */
export function lowerGraph(graph: Graph): OnnxModel {
  const model = new OnnxModel(graph.name);
  const context = new PlainContext(model);
  for (const { name, value } of graph.inputs) {
    context.bind(value, model.input(name, value.dtype, value.shape));
  }
  for (const { layer, operation, output } of graph.nodes) {
    context.enter(layer);
    context.bind(output, definitionOf(operation).onnx.plain(operation, context, {}));
  }
  for (const { name, value } of graph.outputs) {
    model.output(name, context.name(value), value.dtype, value.shape);
  }
  return model;
}
