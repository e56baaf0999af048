/** A graph as it is used at one place: the workflow as a whole, or a subgraph or group node in one of the nodes that stand for it. */
import type { Literal } from '../literal.js';
import type { EditorGraph, EditorNode } from './graph.js';

export interface GraphScope {
  readonly graph: EditorGraph;
  /** Ids of the nodes that stand for the graphs around; the id of a node that runs is all of them and its own, as in `12:5`. */
  readonly path: readonly string[];
  /** Where it is used; undefined for the workflow as a whole. */
  readonly host?: { readonly scope: GraphScope; readonly node: EditorNode };
  /** Scopes of the nodes in it that stand for graphs, by their ids. */
  readonly inner: Map<string, GraphScope>;
  /** Values that the host sets: of inputs, by their names, and of widgets, by `widgetKey`. */
  readonly hostValues: ReadonlyMap<string, Literal>;
  readonly widgetValues: ReadonlyMap<string, Literal>;
}

/** A widget of a node of a graph. */
export function widgetKey(nodeId: string, widget: string): string {
  return `${nodeId}\n${widget}`;
}

export function executionId({ path }: GraphScope, { id }: EditorNode): string {
  return [...path, id].join(':');
}
