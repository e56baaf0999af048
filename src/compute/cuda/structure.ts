/**
 * What can be said of a graph before its extents are known: which values are one matrix, what is computed together, and which
 * results are written straight into a concatenation.
 */
import type { Graph, GraphNode, Operation, Value } from '../graph.js';
import { operandsOf, planFusions, type Fusion } from '../onnx/channel-major/fusion.js';
import { VECTOR } from './program.js';
import { UnsupportedOperation } from './unsupported.js';

type OperationOf<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

/** Linear layers of one operand, computed as one product; the first node stands for them. */
export type Siblings = readonly GraphNode[];

/** Columns of a concatenation that a value is computed into. */
export interface Slice {
  readonly whole: Value;
  readonly column: number;
}

export interface Structure {
  readonly graph: Graph;
  readonly fusions: ReadonlyMap<GraphNode, Fusion>;
  /** By the id of each of their results. */
  readonly siblings: ReadonlyMap<number, Siblings>;
  readonly slices: ReadonlyMap<number, Slice>;
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
    if (operation.kind === 'spatial_to_tokens' || operation.kind === 'tokens_to_spatial') {
      roots.set(output.id, rooted(operation.x).id);
    } else {
      nodes.push({ ...node, operation: withOperands(operation, rooted) });
    }
  }
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: rooted(value) }));
  return { ...graph, nodes, outputs };
}

function withOperands(operation: Operation, change: (value: Value) => Value): Operation {
  const entries = Object.entries(operation).map(([name, operand]: [string, unknown]) => [
    name,
    isValue(operand) ? change(operand) : Array.isArray(operand) ? operand.map(each) : operand,
  ]);
  function each(operand: unknown): unknown {
    return isValue(operand) ? change(operand) : operand;
  }
  return Object.fromEntries(entries) as Operation;
}

function isValue(operand: unknown): operand is Value {
  return typeof operand === 'object' && operand !== null && 'id' in operand && 'dtype' in operand;
}

/** Linear layers that read the same value and compute nothing else: queries, keys and values, for one. */
function groupSiblings(graph: Graph, fusions: Structure['fusions']): Map<number, Siblings> {
  const groups = new Map<number, GraphNode[]>();
  for (const node of graph.nodes) {
    if (node.operation.kind !== 'linear' || fusions.get(node)!.nodes.length > 1) continue;
    if (node.operation.weight.shape[0]! % VECTOR !== 0) continue;
    const group = groups.get(node.operation.x.id);
    if (group === undefined) groups.set(node.operation.x.id, [node]);
    else group.push(node);
  }
  const siblings = new Map<number, Siblings>();
  for (const group of groups.values()) {
    if (group.length > 1) for (const { output } of group) siblings.set(output.id, group);
  }
  return siblings;
}

/** Results that nothing else has a place for, and that begin at a whole vector of the concatenation. */
function placeSlices(graph: Graph, siblings: Structure['siblings']): Map<number, Slice> {
  const made = new Map(graph.nodes.map((node) => [node.output.id, node.output]));
  const slices = new Map<number, Slice>();
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

export function alongChannels({ values, axis }: OperationOf<'concat'>): boolean {
  const rank = values[0]!.shape.length;
  return rank === 4 ? axis === 1 : axis === rank - 1;
}

/** Channels of a value: the second axis of an image, the last one otherwise. Throws `UnsupportedOperation` for symbolic ones. */
export function channels({ shape }: Value): number {
  const extent = shape.length === 4 ? shape[1] : shape.length === 1 ? 1 : shape.at(-1);
  if (typeof extent === 'number') return extent;
  throw new UnsupportedOperation(`the CUDA engine needs channels to be known, got [${shape.join(', ')}]`);
}
