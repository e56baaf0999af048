/** A workflow as ComfyUI's editor saves it (schema 0.4 and 1.0), read into one form: nodes with slots, and links by id. */
import { isLiteralObject, type Literal, type LiteralObject } from '../literal.js';

/** Ids of litegraph's nodes that stand for the border of a subgraph. */
export const INPUT_BORDER = '-10';
export const OUTPUT_BORDER = '-20';

/** litegraph's LGraphEventMode, as far as it keeps a node from running. */
export const MUTED = 2;
export const BYPASSED = 4;

export interface EditorInput {
  readonly name: string;
  readonly label?: string;
  readonly type: string;
  /** Id of the link that ends here. */
  link: string | undefined;
  /** The widget that this input was made of, or belongs to. */
  readonly widget?: string;
}

export interface EditorOutput {
  readonly name: string;
  readonly label?: string;
  readonly type: string;
}

export interface EditorNode {
  readonly id: string;
  readonly type: string;
  readonly title?: string;
  mode: number;
  readonly inputs: EditorInput[];
  readonly outputs: readonly EditorOutput[];
  /** A list in the order of the widgets, or an object by their names. */
  readonly values: readonly Literal[] | LiteralObject;
  readonly properties: LiteralObject;
  readonly color?: Literal;
  readonly position: readonly [x: number, y: number];
}

export interface EditorLink {
  readonly id: string;
  readonly origin: string;
  readonly originSlot: number;
  readonly target: string;
  readonly targetSlot: number;
  readonly type: string;
}

/** An input or output of a subgraph. */
export interface BorderSlot {
  readonly name: string;
  readonly label?: string;
  readonly type: string;
}

export interface EditorGraph {
  readonly nodes: ReadonlyMap<string, EditorNode>;
  readonly links: Map<string, EditorLink>;
  /** Empty for the workflow as a whole. */
  readonly inputs: readonly BorderSlot[];
  readonly outputs: readonly BorderSlot[];
  readonly extra: LiteralObject;
  /** What the editor draws around nodes: title and left, top, width, height. */
  readonly frames: readonly { readonly title: string; readonly bounds: readonly number[] }[];
}

export interface EditorWorkflow extends EditorGraph {
  /** Subgraphs by the id that nodes have as their type. */
  readonly subgraphs: ReadonlyMap<string, EditorGraph>;
}

/** Whether a JSON value is an editor's file rather than nodes by id. */
export function isEditorWorkflow(value: Literal | undefined): value is LiteralObject {
  return isLiteralObject(value) && Array.isArray(value.get('nodes'));
}

/** Reads what there is; entries that are no nodes and no links are left out, as litegraph does. */
export function readEditorWorkflow(value: LiteralObject): EditorWorkflow {
  const definitions = value.get('definitions');
  const listed = isLiteralObject(definitions) ? listOf(definitions.get('subgraphs')) : [];
  const subgraphs = new Map<string, EditorGraph>();
  const pending = [...listed];
  for (let definition = pending.shift(); definition !== undefined; definition = pending.shift()) {
    if (!isLiteralObject(definition)) continue;
    subgraphs.set(textOf(definition.get('id')), readGraph(definition));
    // Some versions keep those of a subgraph within it.
    const inner = definition.get('definitions');
    if (isLiteralObject(inner)) pending.push(...listOf(inner.get('subgraphs')));
  }
  return { ...readGraph(value), subgraphs };
}

/** A graph from its nodes and links, as the file of a workflow or a subgraph within it has them. */
export function readGraph(value: LiteralObject): EditorGraph {
  const nodes = new Map<string, EditorNode>();
  for (const entry of listOf(value.get('nodes'))) {
    const node = isLiteralObject(entry) ? readNode(entry) : undefined;
    if (node !== undefined) nodes.set(node.id, node);
  }
  const given = value.get('links');
  const links = new Map<string, EditorLink>();
  for (const entry of isLiteralObject(given) ? given.values() : listOf(given)) {
    const link = readLink(entry);
    if (link !== undefined) links.set(link.id, link);
  }
  return {
    nodes,
    links,
    inputs: readBorder(value.get('inputs')),
    outputs: readBorder(value.get('outputs')),
    extra: objectOf(value.get('extra')),
    frames: listOf(value.get('groups')).flatMap((frame) =>
      isLiteralObject(frame)
        ? [{ title: textOf(frame.get('title')), bounds: listOf(frame.get('bounding')).map(Number) }]
        : [],
    ),
  };
}

export function readNode(value: LiteralObject): EditorNode | undefined {
  const [id, type] = [value.get('id'), value.get('type')];
  if (id === undefined || id === null || typeof type !== 'string') return undefined;
  const values = value.get('widgets_values_named') ?? value.get('widgets_values');
  const title = value.get('title');
  const position = value.get('pos');
  const [x, y] = isLiteralObject(position) ? [position.get('0'), position.get('1')] : listOf(position);
  return {
    id: textOf(id),
    type,
    ...(typeof title === 'string' && title !== '' && { title }),
    mode: Number(value.get('mode') ?? 0),
    inputs: listOf(value.get('inputs')).flatMap((slot) => (isLiteralObject(slot) ? [readInput(slot)] : [])),
    outputs: listOf(value.get('outputs')).flatMap((slot) => (isLiteralObject(slot) ? [readSlot(slot)] : [])),
    values: isLiteralObject(values) ? values : listOf(values),
    properties: objectOf(value.get('properties')),
    ...(value.has('color') && { color: value.get('color')! }),
    position: [Number(x ?? 0), Number(y ?? 0)],
  };
}

function readInput(slot: LiteralObject): EditorInput {
  const link = slot.get('link');
  const widget = slot.get('widget');
  const named = isLiteralObject(widget) ? widget.get('name') : undefined;
  return {
    ...readSlot(slot),
    link: link === undefined || link === null ? undefined : textOf(link),
    ...(typeof named === 'string' && { widget: named }),
  };
}

function readSlot(slot: LiteralObject): EditorOutput {
  const [label, type] = [slot.get('label'), slot.get('type')];
  return {
    name: textOf(slot.get('name')),
    ...(typeof label === 'string' && { label }),
    // Of a list of options, in files of 2023.
    type: Array.isArray(type) ? 'COMBO' : textOf(type ?? '*'),
  };
}

function readBorder(value: Literal | undefined): readonly BorderSlot[] {
  return listOf(value).flatMap((slot) => (isLiteralObject(slot) ? [readSlot(slot)] : []));
}

/** `[id, from, slot, to, slot, type]`, or an object since schema 1.0. */
function readLink(entry: Literal): EditorLink | undefined {
  const [id, origin, originSlot, target, targetSlot, type] = isLiteralObject(entry)
    ? ['id', 'origin_id', 'origin_slot', 'target_id', 'target_slot', 'type'].map((key) => entry.get(key))
    : listOf(entry);
  const slots = [slotOf(originSlot), slotOf(targetSlot)] as const;
  if (id === undefined || origin === undefined || target === undefined) return undefined;
  if (slots[0] === undefined || slots[1] === undefined) return undefined;
  return {
    id: textOf(id),
    origin: textOf(origin),
    originSlot: slots[0],
    target: textOf(target),
    targetSlot: slots[1],
    type: Array.isArray(type) ? 'COMBO' : textOf(type ?? '*'),
  };
}

/** A place in a list; undefined for what is none. */
export function slotOf(value: Literal | undefined): number | undefined {
  const slot =
    typeof value === 'string' || value === undefined || value === null ? Number(value ?? 0) : value;
  return (typeof slot === 'number' || typeof slot === 'bigint') &&
    Number.isSafeInteger(Number(slot)) &&
    slot >= 0
    ? Number(slot)
    : undefined;
}

export function listOf(value: Literal | undefined): readonly Literal[] {
  return Array.isArray(value) ? (value as readonly Literal[]) : [];
}

export function objectOf(value: Literal | undefined): LiteralObject {
  return isLiteralObject(value) ? value : new Map();
}

/** Ids are numbers in most files and texts in some. */
export function textOf(value: Literal | undefined): string {
  return typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number'
    ? String(value)
    : '';
}
