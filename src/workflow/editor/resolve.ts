/**
 * What an input gets: the node that runs and its output, through everything that only the editor knows (litegraph's
 * ExecutableNodeDTO, resolveInput and resolveOutput): borders of subgraphs, bypassed nodes, Reroute, Get and Set.
 */
import { isLiteralObject, type Literal } from '../literal.js';
import {
  BYPASSED,
  INPUT_BORDER,
  OUTPUT_BORDER,
  type EditorInput,
  type EditorLink,
  type EditorNode,
} from './graph.js';
import { executionId, type GraphScope } from './scope.js';
import { bypassedInput, inputsOf, outputsOf } from './slots.js';
import { isPassing, isVirtual, PRIMITIVE, SETTER_OF } from './virtual-nodes.js';
import type { InfoOf } from './widgets.js';

export type ResolvedInput =
  | { readonly kind: 'link'; readonly id: string; readonly slot: number }
  /** A widget's value: of a primitive, or of the node that stands for the graph, on which its widgets were promoted. */
  | { readonly kind: 'value'; readonly value: Literal; readonly isPromoted: boolean };

/** One step on the way against the data: to an input of a node, or to an output of one. */
type Place =
  | {
      readonly at: 'input';
      readonly scope: GraphScope;
      readonly node: EditorNode;
      readonly input: EditorInput;
    }
  | { readonly at: 'output'; readonly scope: GraphScope; readonly node: EditorNode; readonly slot: number };

/** Undefined where nothing comes in; the widget keeps its value then. Throws nothing: a circle of links gives nothing. */
export function resolveInput(
  scope: GraphScope,
  node: EditorNode,
  input: EditorInput,
  infoOf: InfoOf,
): ResolvedInput | undefined {
  const visited = new Set<string>();
  let place: Place = { at: 'input', scope, node, input };
  let wanted = input.type;
  for (;;) {
    const key = `${executionId(place.scope, place.node)} ${place.at} ${place.at === 'input' ? place.input.name : place.slot}`;
    if (visited.has(key)) return undefined;
    visited.add(key);
    const next: Place | ResolvedInput | undefined =
      place.at === 'input' ? before(place) : within(place, wanted, infoOf);
    if (next === undefined || 'kind' in next) return next;
    // A bypassed node asks for what it would have taken itself; so does an input of a subgraph.
    const passesOn = place.at === 'output' && place.node.mode !== BYPASSED && isVirtual(place.node.type);
    if (next.at === 'input' && !passesOn) wanted = next.input.type;
    place = next;
  }
}

/** From an input to the output that its link comes from. */
function before({ scope, input }: Place & { at: 'input' }): Place | ResolvedInput | undefined {
  const link = input.link === undefined ? undefined : scope.graph.links.get(input.link);
  return link === undefined ? undefined : source(scope, link);
}

function source(scope: GraphScope, link: EditorLink): Place | ResolvedInput | undefined {
  if (link.origin === INPUT_BORDER && scope.host !== undefined) {
    const border = scope.graph.inputs[link.originSlot];
    if (border === undefined) return undefined;
    const { scope: outer, node } = scope.host;
    const input = node.inputs.find(({ name }) => name === border.name) ?? node.inputs[link.originSlot];
    if (input?.link !== undefined && outer.graph.links.has(input.link)) {
      return { at: 'input', scope: outer, node, input };
    }
    const value = hostValue(scope, link);
    return value === undefined ? undefined : { kind: 'value', value, isPromoted: true };
  }
  const node = scope.graph.nodes.get(link.origin);
  return node === undefined ? undefined : { at: 'output', scope, node, slot: link.originSlot };
}

/**
 * What the node that stands for a graph gives to an input. Where it has no value of its own, it starts with that of the widget
 * within, which may be a node's that stands for a graph again.
 */
function hostValue(scope: GraphScope, link: EditorLink): Literal | undefined {
  const border = scope.graph.inputs[link.originSlot];
  const own = border && scope.hostValues.get(border.name);
  if (own !== undefined) return own;
  const inner = scope.inner.get(link.target);
  const input = inner?.host?.node.inputs.find((each) => each.link === link.id);
  return input === undefined ? undefined : inner!.hostValues.get(input.name);
}

/** From an output to the input of the same node that it comes from, to a node within, or to the end. */
function within(
  { scope, node, slot }: Place & { at: 'output' },
  wanted: string,
  infoOf: InfoOf,
): Place | ResolvedInput | undefined {
  if (node.type === PRIMITIVE) return primitiveValue(scope, node);
  if (node.mode === BYPASSED) {
    const input = bypassedInput(inputsOf(node, infoOf), outputsOf(node, infoOf), slot, wanted);
    return input === undefined ? undefined : { at: 'input', scope, node, input };
  }
  const inner = scope.inner.get(node.id);
  if (inner !== undefined) {
    const link = [...inner.graph.links.values()].find(
      ({ target, targetSlot }) => target === OUTPUT_BORDER && targetSlot === slot,
    );
    return link === undefined ? undefined : source(inner, link);
  }
  const setter = SETTER_OF.get(node.type);
  if (setter !== undefined) return valueSet(scope, setter, nameOf(node), slot);
  if (isPassing(node.type)) {
    const input = node.inputs[slot];
    return input === undefined ? undefined : { at: 'input', scope, node, input };
  }
  if (isVirtual(node.type)) return undefined;
  return { kind: 'link', id: executionId(scope, node), slot };
}

/** A primitive's value, or the value that the graph around gives its widget. */
function primitiveValue(scope: GraphScope, node: EditorNode): ResolvedInput | undefined {
  const value =
    scope.widgetValues.get(`${node.id}\nvalue`) ??
    (isLiteralObject(node.values) ? node.values.get('value') : node.values[0]);
  return value === undefined ? undefined : { kind: 'value', value, isPromoted: false };
}

/** The node that sets a name, in the same graph or in one around it. */
function valueSet(
  scope: GraphScope,
  type: string,
  name: Literal | undefined,
  slot: number,
): Place | undefined {
  if (name === undefined || name === '') return undefined;
  for (let at: GraphScope | undefined = scope; at !== undefined; at = at.host?.scope) {
    for (const node of at.graph.nodes.values()) {
      if (node.type !== type || nameOf(node) !== name) continue;
      const input = node.inputs[slot];
      return input === undefined ? undefined : { at: 'input', scope: at, node, input };
    }
  }
  return undefined;
}

function nameOf({ values }: EditorNode): Literal | undefined {
  return isLiteralObject(values) ? [...values.values()][0] : values[0];
}
