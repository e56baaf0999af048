/**
 * What can be said of a graph before its extents are known: which values are one matrix, what is computed together, and which
 * results are written straight into a concatenation.
 */
import { planFusions, type Fusion } from '../fusion.js';
import type { Graph, GraphNode } from '../graph.js';
import { definitionOf, operandsOf, withOperands } from '../operation.js';
import { alongChannels } from '../operations/concat.js';
import type { Value } from '../value.js';
import { channels, type SiblingLayer } from '../lowering/cuda/context.js';
import { VECTOR } from '../lowering/cuda/program.js';

/** Columns of a concatenation that a value is computed into. */
export interface ViewSlice {
  readonly whole: Value;
  readonly column: number;
}

export interface Structure {
  readonly graph: Graph;
  readonly fusions: ReadonlyMap<GraphNode, Fusion>;
  /** Linear layers of one operand, by the id of each of their results. */
  readonly siblings: ReadonlyMap<number, readonly SiblingLayer[]>;
  readonly slices: ReadonlyMap<number, ViewSlice>;
  /** Enlarged images that only convolutions read, which can do so out of the small one: by the id of the enlarged one. */
  readonly enlarged: ReadonlyMap<number, Value>;
}

export function structureOf(graph: Graph): Structure {
  const flat = withoutReshapes(graph);
  const fusions = planFusions(flat);
  const siblings = groupSiblings(flat, fusions);
  const slices = placeSlices(flat, siblings);
  return { graph: flat, fusions, siblings, slices, enlarged: findEnlarged(flat) };
}

/** Rows of pixels are rows of tokens: the operations between them go, and their results take the operand's id. */
function withoutReshapes(graph: Graph): Graph {
  const roots = new Map<number, number>();
  const rooted = (value: Value): Value => {
    const id = roots.get(value.id);
    return id === undefined ? value : { ...value, id };
  };
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const { operation, output } = node;
    const { cuda } = definitionOf(operation);
    if (typeof cuda === 'object') roots.set(output.id, rooted(cuda.sameRowsAs(operation)).id);
    else nodes.push({ ...node, operation: withOperands(operation, rooted) });
  }
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: rooted(value) }));
  return { ...graph, nodes, outputs };
}

/** Linear layers that read the same value and compute nothing else: queries, keys and values, for one. */
function groupSiblings(graph: Graph, fusions: Structure['fusions']): Map<number, readonly SiblingLayer[]> {
  const groups = new Map<number, SiblingLayer[]>();
  for (const node of graph.nodes) {
    const { operation, output } = node;
    if (operation.kind !== 'linear' || fusions.get(node)!.nodes.length > 1) continue;
    const { x, weight, bias } = operation;
    if (weight.shape[0]! % VECTOR !== 0) continue;
    const layer: SiblingLayer = { output, weight, bias };
    const group = groups.get(x.id);
    if (group === undefined) groups.set(x.id, [layer]);
    else group.push(layer);
  }
  const siblings = new Map<number, readonly SiblingLayer[]>();
  for (const group of groups.values()) {
    if (group.length > 1) for (const { output } of group) siblings.set(output.id, group);
  }
  return siblings;
}

/** Results that nothing else has a place for, and that begin at a whole vector of the concatenation. */
function placeSlices(graph: Graph, siblings: Structure['siblings']): Map<number, ViewSlice> {
  const made = new Set(graph.nodes.map(({ output }) => output.id));
  const slices = new Map<number, ViewSlice>();
  for (const { operation, output } of graph.nodes) {
    if (operation.kind !== 'concat' || !alongChannels(operation)) continue;
    const widths = operation.values.map(channels);
    if (widths.some((width) => width % VECTOR !== 0)) continue;
    let column = 0;
    operation.values.forEach((value, index) => {
      const free = made.has(value.id) && !siblings.has(value.id) && !slices.has(value.id);
      if (free) slices.set(value.id, { whole: output, column });
      column += widths[index]!;
    });
  }
  return slices;
}

function findEnlarged(graph: Graph): Map<number, Value> {
  const enlarged = new Map<number, Value>();
  for (const { operation, output } of graph.nodes) {
    if (operation.kind === 'upsample_nearest') enlarged.set(output.id, operation.x);
    for (const operand of operandsOf(operation)) {
      if (operation.kind !== 'conv2d') enlarged.delete(operand.id);
    }
  }
  for (const { value } of graph.outputs) enlarged.delete(value.id);
  return enlarged;
}
