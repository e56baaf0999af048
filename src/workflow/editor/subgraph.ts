/** Scopes of a workflow's subgraphs, and the values that the nodes which stand for them give to what is within. */
import { isLiteralObject, type Literal } from '../literal.js';
import { BYPASSED, INPUT_BORDER, listOf, MUTED, textOf, type EditorGraph, type EditorNode } from './graph.js';
import { widgetKey, type GraphScope } from './scope.js';
import { layoutOf, type InfoOf } from './widgets.js';

/** What a node stands for: a graph, and the values that it gives to inputs and to widgets within. */
export interface Standing {
  readonly graph: EditorGraph;
  readonly hostValues: ReadonlyMap<string, Literal>;
  readonly widgetValues: ReadonlyMap<string, Literal>;
}

/** Subgraphs within one another, and nodes in all of them: beyond any workflow that people make. */
const MAX_DEPTH = 50;
const MAX_SCOPES = 10_000;
const MAX_NODES = 200_000;

/** A workflow whose subgraphs contain themselves, or without end. */
export class EndlessSubgraphs extends Error {
  override readonly name = 'EndlessSubgraphs';
}

/** The scopes of a graph and of all within it. Throws `EndlessSubgraphs`. */
export function openScopes(
  graph: EditorGraph,
  standingOf: (node: EditorNode, outer: GraphScope) => Standing | undefined,
): GraphScope {
  let count = 0;
  let nodes = 0;
  const none = new Map<string, Literal>();
  const root: GraphScope = { graph, path: [], inner: new Map(), hostValues: none, widgetValues: none };
  const pending = [root];
  for (let scope = pending.pop(); scope !== undefined; scope = pending.pop()) {
    nodes += scope.graph.nodes.size;
    if (scope.path.length > MAX_DEPTH || ++count > MAX_SCOPES || nodes > MAX_NODES) {
      throw new EndlessSubgraphs();
    }
    for (const node of scope.graph.nodes.values()) {
      const standing = node.mode === MUTED || node.mode === BYPASSED ? undefined : standingOf(node, scope);
      if (standing === undefined) continue;
      const inner: GraphScope = {
        ...standing,
        path: [...scope.path, node.id],
        host: { scope, node },
        inner: new Map(),
      };
      scope.inner.set(node.id, inner);
      pending.push(inner);
    }
  }
  return root;
}

/**
 * What a node that stands for a subgraph gives to what is within. Where the file has `proxyWidgets`, its values are theirs,
 * one by one; since 2026 they are those of the inputs that are widgets within.
 */
export function subgraphStanding(
  node: EditorNode,
  graph: EditorGraph,
  outer: GraphScope,
  infoOf: InfoOf,
): Standing {
  const hostValues = new Map<string, Literal>();
  const widgetValues = new Map<string, Literal>();
  const give = (source: string, widget: string, value: Literal | undefined) => {
    if (value === undefined || value === null) return;
    if (source === '-1') hostValues.set(widget, value);
    else {
      const border = borderInto(graph, source, widget);
      if (border !== undefined) hostValues.set(border, value);
      widgetValues.set(widgetKey(source, widget), value);
    }
  };
  const proxies = proxiesOf(node.properties.get('proxyWidgets'));
  const { values } = node;
  if (isLiteralObject(values)) for (const [name, value] of values) hostValues.set(name, value);
  else if (proxies.length > 0) {
    proxies.forEach(({ source, widget }, index) => {
      give(source, widget, values[index]);
    });
  } else {
    const made = node.inputs.filter(({ widget }) => widget !== undefined);
    const places = made.map(({ name }) => hasControl(graph, name, infoOf));
    const counted = values.length > made.length;
    let at = 0;
    made.forEach(({ name }, index) => {
      give('-1', name, values[at++]);
      if (counted && places[index] === true) at++;
    });
  }
  // What the graph around says of this node's widgets goes first.
  const prefix = widgetKey(node.id, '');
  for (const [key, value] of outer.widgetValues) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    const [, source, widget] = /^\s*(\d+)\s*:\s*(.+)$/s.exec(name) ?? [undefined, '-1', name];
    give(source, widget, value);
  }
  return { graph, hostValues, widgetValues };
}

interface Proxy {
  readonly source: string;
  readonly widget: string;
}

/** `[[node id, widget], …]`, as JSON or as a text of it; `-1` stands for the inputs of the subgraph. */
function proxiesOf(value: Literal | undefined): readonly Proxy[] {
  let given = value;
  if (typeof value === 'string') {
    try {
      given = JSON.parse(value) as Literal;
    } catch {
      return [];
    }
  }
  return listOf(given).flatMap((entry) => {
    const [source, widget] = listOf(entry);
    return typeof widget === 'string' ? [{ source: textOf(source), widget }] : [];
  });
}

/** The input of a subgraph that leads to a widget of a node in it. */
function borderInto(graph: EditorGraph, id: string, widget: string): string | undefined {
  const input = graph.nodes.get(id)?.inputs.find((each) => (each.widget ?? each.name) === widget);
  const link = input?.link === undefined ? undefined : graph.links.get(input.link);
  return link?.origin === INPUT_BORDER ? graph.inputs[link.originSlot]?.name : undefined;
}

/** Whether the editor keeps a value of its own after that of a widget within. */
function hasControl(graph: EditorGraph, border: string, infoOf: InfoOf): boolean {
  const slot = graph.inputs.findIndex(({ name }) => name === border);
  for (const link of graph.links.values()) {
    if (link.origin !== INPUT_BORDER || link.originSlot !== slot) continue;
    const node = graph.nodes.get(link.target);
    const input = node?.inputs.find((each) => each.link === link.id);
    const info = node === undefined ? undefined : infoOf(node.type);
    if (node === undefined || input === undefined || info === undefined) continue;
    const { widgets } = layoutOf(node, info);
    const at = widgets.findIndex((widget) => widget?.name === (input.widget ?? input.name));
    return at >= 0 && at + 1 < widgets.length && widgets[at + 1] === undefined;
  }
  return false;
}
