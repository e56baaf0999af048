import { formatShape, type Dim, type Shape } from './dim.js';
import type { DType, Value } from './value.js';
import type { Weight } from './weight.js';

/** A shape that does not fit, found while a graph is built. The message names the layer. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}

/** What an operation's builder has at hand: checks of shapes, whose errors name the layer, and the graph's next node. */
export interface NodeBuilder<Op> {
  /** Adds a node, and gives its result. */
  emit(operation: Op, shape: Shape, dtype?: DType): Value;
  /** Throws `GraphError` unless the condition holds. */
  check(condition: boolean, message: string): asserts condition;
  error(message: string): GraphError;
}

/** The extents of a value that must have so many axes; `kind` is who says so. */
export function shapeOf(graph: NodeBuilder<never>, x: Value, rank: 3, kind: string): readonly [Dim, Dim, Dim];
export function shapeOf(
  graph: NodeBuilder<never>,
  x: Value,
  rank: 4,
  kind: string,
): readonly [Dim, Dim, Dim, Dim];
export function shapeOf(graph: NodeBuilder<never>, x: Value, rank: number, kind: string): Shape {
  graph.check(x.shape.length === rank, `${kind} needs ${rank} axes, got ${formatShape(x.shape)}`);
  return x.shape;
}

/** The extents of a weight that must have so many axes. */
export function weightShape(graph: NodeBuilder<never>, weight: Weight, rank: 2): readonly [number, number];
export function weightShape(
  graph: NodeBuilder<never>,
  weight: Weight,
  rank: 4,
): readonly [number, number, number, number];
export function weightShape(graph: NodeBuilder<never>, weight: Weight, rank: number): readonly number[] {
  graph.check(
    weight.shape.length === rank,
    `${weight.name} should have ${rank} axes, has ${formatShape(weight.shape)}`,
  );
  return weight.shape;
}

/** A bias or another vector beside `owner`, if there is one, must have `length` entries. */
export function checkVector(
  graph: NodeBuilder<never>,
  vector: Weight | undefined,
  length: Dim | undefined,
  owner: Weight,
): void {
  if (vector === undefined) return;
  graph.check(
    vector.shape.length === 1 && vector.shape[0] === length,
    `${vector.name} should have shape [${String(length)}] beside ${owner.name}, has ${formatShape(vector.shape)}`,
  );
}
