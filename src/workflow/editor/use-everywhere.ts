/**
 * cg-use-everywhere: nodes that send what they take in to every open input of its type (use_everywhere_graph_analysis.js and
 * use_everywhere_classes.js of that pack). They become links before anything else is looked at.
 */
import { isLiteralObject } from '../literal.js';
import {
  BYPASSED,
  listOf,
  objectOf,
  slotOf,
  textOf,
  type EditorGraph,
  type EditorInput,
  type EditorNode,
} from './graph.js';
import { passes, PROMPTS_EVERYWHERE, SEED_EVERYWHERE, SenderRules, shownName } from './sender-rules.js';
import { bypassedInput, inputsOf, outputsOf } from './slots.js';
import type { InfoOf } from './widgets.js';

/** One thing that is sent. */
interface Broadcast {
  readonly type: string;
  readonly origin: string;
  readonly slot: number;
  readonly priority: number;
  takes(node: EditorNode, input: EditorInput): boolean;
}

/** Adds the links of a graph. */
export function addEverywhereLinks(graph: EditorGraph, infoOf: InfoOf): void {
  if (addSavedLinks(graph)) return;
  const senders = [...graph.nodes.values()].filter((node) => node.mode === 0 && isSender(node));
  if (senders.length === 0) return;
  const broadcasts = senders.flatMap((node) => broadcastsOf(node, graph, infoOf));
  for (const node of graph.nodes.values()) {
    if (isEverywhere(node.type) || node.properties.get('rejects_ue_links') === true) continue;
    for (const input of node.inputs) {
      if (isLinked(graph, input) || !isOpen(node, input)) continue;
      const [first, second] = broadcasts
        .filter((each) => each.origin !== node.id && each.type === input.type && each.takes(node, input))
        .sort((one, other) => other.priority - one.priority);
      // Of two that both would do, the pack takes none.
      if (first === undefined || first.priority === second?.priority) continue;
      connect(graph, first.origin, first.slot, node, input, first.type);
    }
  }
}

/** The pack's own findings, where the file keeps them. */
function addSavedLinks(graph: EditorGraph): boolean {
  const saved = listOf(graph.extra.get('ue_links')).filter(isLiteralObject);
  for (const link of saved) {
    const node = graph.nodes.get(textOf(link.get('downstream')));
    const input = node?.inputs[slotOf(link.get('downstream_slot')) ?? -1];
    const slot = slotOf(link.get('upstream_slot'));
    const type = textOf(link.get('type'));
    const origin = textOf(link.get('upstream'));
    const known = graph.nodes.has(origin) || origin === '-10';
    if (node === undefined || input === undefined || slot === undefined || !known) continue;
    if (isLinked(graph, input)) continue;
    if (input.type !== type && input.type !== '*') continue;
    connect(graph, origin, slot, node, input, type);
  }
  return saved.length > 0;
}

function connect(
  { links }: EditorGraph,
  origin: string,
  originSlot: number,
  target: EditorNode,
  input: EditorInput,
  type: string,
): void {
  const id = `everywhere ${links.size}`;
  links.set(id, {
    id,
    origin,
    originSlot,
    target: target.id,
    targetSlot: target.inputs.indexOf(input),
    type,
  });
  input.link = id;
}

function isLinked({ links }: EditorGraph, { link }: EditorInput): boolean {
  return link !== undefined && links.has(link);
}

function isEverywhere(type: string): boolean {
  return type.startsWith('Anything Everywhere') || type === SEED_EVERYWHERE || type === PROMPTS_EVERYWHERE;
}

function isSender({ type, properties }: EditorNode): boolean {
  return isEverywhere(type) || properties.get('ue_convert') === true;
}

/** Sockets are open to broadcasts unless marked; widgets only when marked, or made an input in a file from before 2025. */
function isOpen({ properties }: EditorNode, { name, widget }: EditorInput): boolean {
  const own = objectOf(properties.get('ue_properties'));
  if (widget === undefined) return objectOf(own.get('input_ue_unconnectable')).get(name) !== true;
  const marked = own.get('widget_ue_connectable') ?? properties.get('widget_ue_connectable');
  return marked === undefined || objectOf(marked).get(name) === true;
}

function broadcastsOf(node: EditorNode, graph: EditorGraph, infoOf: InfoOf): Broadcast[] {
  const rules = new SenderRules(node, graph, infoOf);
  if (node.type === SEED_EVERYWHERE || rules.property('seed_inputs') === true) {
    const named = rules.regex('input') ?? { pattern: /seed/, inverted: false };
    const takes = (_: EditorNode, input: EditorInput) => passes(named, shownName(input));
    return [{ type: 'INT', origin: node.id, slot: 0, priority: rules.priority(false), takes }];
  }
  const sources = sourcesOf(node, graph, infoOf);
  const types = sources.map(({ type }) => type);
  const repeated = new Set(types.filter((type, index) => types.indexOf(type) !== index));
  return sources.map(({ type, origin, slot, label }, index) => {
    const byName = repeated.has(type) || rules.property('apply_to_unrepeated') === 1n;
    const takes = (target: EditorNode, input: EditorInput) =>
      rules.take(target, input) &&
      (node.type === PROMPTS_EVERYWHERE
        ? PROMPTS[index]!.test(shownName(input))
        : !byName || rules.fitsName(label, input, target));
    return { type, origin, slot, priority: rules.priority(repeated.size > 0), takes };
  });
}

const PROMPTS = [/(_|\b)pos(itive|_|\b)|^prompt/i, /(_|\b)neg(ative|_|\b)/i];

interface Source {
  readonly type: string;
  readonly origin: string;
  readonly slot: number;
  readonly label: string;
}

/** What goes into a node, or for a node that was made a sender what it gives out. */
function sourcesOf(node: EditorNode, graph: EditorGraph, infoOf: InfoOf): Source[] {
  if (!isEverywhere(node.type)) {
    const silent = objectOf(objectOf(node.properties.get('ue_properties')).get('output_not_broadcasting'));
    return outputsOf(node, infoOf).flatMap(({ name, label, type }, slot) =>
      silent.get(name) === true ? [] : [{ type, origin: node.id, slot, label: label ?? name }],
    );
  }
  return node.inputs.flatMap((input) => {
    const link = input.link === undefined ? undefined : liveLink(graph, input.link, infoOf);
    if (link === undefined) return [];
    const from = graph.nodes.get(link.origin);
    const given = from === undefined ? undefined : outputsOf(from, infoOf)[link.originSlot]?.type;
    const type = link.type === '*' ? (given ?? '*') : link.type;
    return [{ type, origin: link.origin, slot: link.originSlot, label: shownName(input) }];
  });
}

/** A link, or the one that a bypassed node at its beginning passes on. */
function liveLink(graph: EditorGraph, id: string, infoOf: InfoOf) {
  let link = graph.links.get(id);
  for (let steps = graph.links.size; link !== undefined && steps > 0; steps--) {
    const from = graph.nodes.get(link.origin);
    if (from?.mode !== BYPASSED) return link;
    const input = bypassedInput(inputsOf(from, infoOf), outputsOf(from, infoOf), link.originSlot, link.type);
    link = input?.link === undefined ? undefined : graph.links.get(input.link);
  }
  return undefined;
}
