import { evaluateDim, type DimBindings } from './dim.js';
import type { Graph } from './graph.js';
import { operandsOf } from './operation.js';
import { elementCount } from './tensor.js';
import type { Value } from './value.js';

/**
 * Bytes of the tensors that must be held at once while the graph runs in its order, at their most: what any backend needs that
 * computes one operation after the other, beside the weights and its own working memory.
 */
export function peakBytes(graph: Graph, bindings: DimBindings): number {
  const lastUse = new Map<number, number>();
  graph.nodes.forEach(({ operation }, at) => {
    for (const { id } of operandsOf(operation)) lastUse.set(id, at);
  });
  for (const { value } of graph.outputs) lastUse.set(value.id, graph.nodes.length);

  const bytes = ({ shape }: Value) =>
    elementCount(shape.map((dim) => evaluateDim(dim, bindings))) * Float32Array.BYTES_PER_ELEMENT;
  let held = graph.inputs.reduce((sum, { value }) => sum + bytes(value), 0);
  let most = held;
  graph.nodes.forEach(({ operation, output }, at) => {
    held += bytes(output);
    most = Math.max(most, held);
    const read = new Map(operandsOf(operation).map((value) => [value.id, value]));
    for (const value of read.values()) if (lastUse.get(value.id) === at) held -= bytes(value);
    if (!lastUse.has(output.id)) held -= bytes(output);
  });
  return most;
}
