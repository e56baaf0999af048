/**
 * What a graph's evaluation costs at given extents, counted from the graph alone: the least that any implementation which
 * computes one operation after the other has to do.
 *
 * A multiplication and an addition count as one FLOP each, and so does a comparison, a division or a transcendental function.
 * Bytes are each operation's operands, weights and result, once each and in float32, weights as they are stored; a backend
 * that fuses operations or keeps tensors in its caches moves less. Nominal counts: Winograd's convolutions, for one,
 * multiply less than this.
 */
import { bytesOf } from '../native/dtypes.js';
import { evaluateDim, type DimBindings } from './dim.js';
import type { Graph, GraphNode } from './graph.js';
import { definitionOf, operandsOf, weightsOf, type Operation } from './operation.js';
import { elementCount } from './tensor.js';
import type { Value } from './value.js';
import type { Weight } from './weight.js';

export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

export interface NodeCost extends Cost {
  readonly layer: string;
  readonly kind: Operation['kind'];
}

export interface GraphCost extends Cost {
  /** Of `bytes`, what the weights take. */
  readonly weightBytes: number;
  /** In the graph's order. */
  readonly nodes: readonly NodeCost[];
}

/** The extents of a graph's symbols when its inputs have these shapes; inputs left out bind nothing. */
export function bindDims(graph: Graph, shapes: Readonly<Record<string, readonly number[]>>): DimBindings {
  const bindings: Record<string, number> = {};
  for (const { name, value } of graph.inputs) {
    value.shape.forEach((dim, axis) => {
      const extent = shapes[name]?.[axis];
      if (typeof dim !== 'number' && extent !== undefined) bindings[dim.text] ??= extent;
    });
  }
  return bindings;
}

/** Throws `RangeError` for a symbol that `bindings` lacks. */
export function graphCost(graph: Graph, bindings: DimBindings): GraphCost {
  const nodes: NodeCost[] = [];
  const total = { flops: 0, bytes: 0, weightBytes: 0 };
  for (const node of graph.nodes) {
    const { flops, bytes, weightBytes } = costOf(node, bindings);
    nodes.push({ layer: node.layer, kind: node.operation.kind, flops, bytes });
    total.flops += flops;
    total.bytes += bytes;
    total.weightBytes += weightBytes;
  }
  return { ...total, nodes };
}

function costOf({ operation, output }: GraphNode, bindings: DimBindings): Cost & { weightBytes: number } {
  const extents = (value: Value): number[] => value.shape.map((dim) => evaluateDim(dim, bindings));
  const count = (value: Value): number => elementCount(extents(value));
  const results = count(output);
  const { flops, reads, writes } = definitionOf(operation).cost(operation, { results, count, extents });
  const read = reads ?? operandsOf(operation).reduce((sum, value) => sum + count(value), 0);
  const weightBytes = weightsOf(operation).reduce((sum, weight) => sum + storedBytes(weight), 0);
  const values = read + (writes ?? results);
  return { flops, bytes: values * Float32Array.BYTES_PER_ELEMENT + weightBytes, weightBytes };
}

function storedBytes(weight: Weight): number {
  return bytesOf(weight.stored?.dtype ?? 'F32', elementCount(weight.shape));
}
