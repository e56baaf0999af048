/**
 * Group nodes, which came before subgraphs: `extra.groupNodes` holds nodes that a node `workflow>NAME` stands for
 * (ComfyUI_frontend, extensions/core/groupNode.ts). They become a graph as a subgraph has it.
 */
import { isLiteralObject, type Literal, type LiteralObject } from '../literal.js';
import {
  INPUT_BORDER,
  listOf,
  objectOf,
  OUTPUT_BORDER,
  readNode,
  slotOf,
  textOf,
  type BorderSlot,
  type EditorGraph,
  type EditorLink,
  type EditorNode,
} from './graph.js';
import { widgetKey } from './scope.js';
import type { Standing } from './subgraph.js';
import { isVirtual, PRIMITIVE } from './virtual-nodes.js';
import {
  classLayout,
  inputsOfClass,
  typeText,
  type ClassInfo,
  type InfoOf,
  type InputSpecJson,
} from './widgets.js';

/** The definition of the group that a node stands for; undefined for any other node. */
export function groupOf(type: string, extra: LiteralObject): LiteralObject | undefined {
  const [, name] = /^workflow[>/](.+)$/s.exec(type) ?? [];
  const group = name === undefined ? undefined : objectOf(extra.get('groupNodes')).get(name);
  return isLiteralObject(group) ? group : undefined;
}

export function groupStanding(host: EditorNode, group: LiteralObject, infoOf: InfoOf): Standing {
  const { values } = host;
  const saved = (name: string, place: number) => (isLiteralObject(values) ? values.get(name) : values[place]);
  // Where there are fewer values than widgets, classes within may have got widgets since the file was saved.
  const [current, former] = [false, true].map((asListed) => {
    const builder = new GroupBuilder(group, infoOf, asListed);
    builder.build();
    return { builder, places: classLayout(builder.info(), saved).widgets };
  });
  const fits = ({ places }: { readonly places: readonly unknown[] }) =>
    isLiteralObject(values) || places.length === values.length;
  const { builder, places } = !fits(current!) && fits(former!) ? former! : current!;
  const widgetValues = new Map<string, Literal>();
  // Of a class that isn't there, nobody knows how many of the values are its own.
  if (builder.lacksClasses && !isLiteralObject(values)) {
    return { graph: builder.graph(), hostValues: new Map(), widgetValues };
  }
  places.forEach((widget, place) => {
    const inner = widget === undefined ? undefined : builder.widgets.get(widget.name);
    const value = widget === undefined ? undefined : saved(widget.name, place);
    if (inner !== undefined && value !== undefined && value !== null) widgetValues.set(inner, value);
  });
  return { graph: builder.graph(), hostValues: new Map(), widgetValues };
}

/** What of a class a group is made of. */
interface Parts {
  readonly inputs: readonly (readonly [name: string, spec: InputSpecJson])[];
  readonly outputs: readonly { readonly type: string }[];
}

class GroupBuilder {
  /** Of widgets of the group, by their names: the widget within. */
  readonly widgets = new Map<string, string>();
  private readonly nodes: readonly EditorNode[];
  private readonly given: readonly (readonly Literal[])[];
  private readonly config: Literal | undefined;
  private readonly external = new Set<string>();
  private readonly seen = new Map<string, number>();
  private readonly specs = new Map<string, InputSpecJson>();
  private readonly inputs: BorderSlot[] = [];
  private readonly outputs: BorderSlot[] = [];
  private readonly links = new Map<string, EditorLink>();

  constructor(
    group: LiteralObject,
    private readonly infoOf: InfoOf,
    /** Where a node within lists inputs of widgets, widgets without are taken for new ones. */
    private readonly asListed: boolean,
  ) {
    this.nodes = listOf(group.get('nodes')).flatMap((entry, index) => {
      const read = isLiteralObject(entry) ? readNode(new Map(entry).set('id', BigInt(index))) : undefined;
      if (read === undefined) return [];
      for (const input of read.inputs) input.link = undefined;
      return [read];
    });
    this.given = listOf(group.get('links'))
      .map(listOf)
      .filter(([from]) => from !== null && from !== undefined);
    this.config = group.get('config');
    for (const entry of listOf(group.get('external')).map(listOf)) {
      const [from, slot] = entry;
      const index = isLiteralObject(from) ? from.get('index') : from;
      this.external.add(`${textOf(index)}:${textOf(slot)}`);
    }
  }

  build(): void {
    for (const link of this.given) this.addInnerLink(link);
    const later = this.nodes.map((node) => this.addNode(node));
    // Inputs made of widgets come after all others.
    for (const addConverted of later) addConverted();
  }

  get lacksClasses(): boolean {
    return this.nodes.some(({ type }) => !isVirtual(type) && this.infoOf(type) === undefined);
  }

  graph(): EditorGraph {
    return {
      nodes: new Map(this.nodes.map((node) => [node.id, node])),
      links: this.links,
      inputs: this.inputs,
      outputs: this.outputs,
      extra: new Map(),
      frames: [],
    };
  }

  /** The group as the editor registers it: a class with its inputs. */
  info(): Pick<ClassInfo, 'input' | 'input_order'> {
    return {
      input: { required: Object.fromEntries(this.specs), optional: {} },
      input_order: { required: [...this.specs.keys()], optional: [] },
    };
  }

  private addInnerLink([from, fromSlot, to, toSlot, , type]: readonly Literal[]): void {
    const originSlot = slotOf(fromSlot);
    const target = this.nodes[slotOf(to) ?? -1];
    const slot = slotOf(toSlot);
    const input = target?.inputs[slot ?? -1];
    if (target === undefined || input === undefined || slot === undefined || originSlot === undefined) return;
    input.link = this.addLink(textOf(from), originSlot, target.id, slot, textOf(type ?? '*'));
  }

  private addLink(
    origin: string,
    originSlot: number,
    target: string,
    targetSlot: number,
    type: string,
  ): string {
    const id = `group ${this.links.size}`;
    this.links.set(id, { id, origin, originSlot, target, targetSlot, type });
    return id;
  }

  /** Returns what adds the node's inputs that are made of widgets. */
  private addNode(node: EditorNode): () => void {
    const parts = this.partsOf(node);
    const sockets: (readonly [string, InputSpecJson])[] = [];
    const converted: (readonly [string, InputSpecJson])[] = [];
    for (const [name, spec] of parts.inputs) {
      const isWidget = classLayout(classOf(name, spec), () => undefined).widgets.length > 0;
      const isInput = node.inputs.some((input) => input.name === name && input.widget === name);
      const isNew = this.asListed && node.inputs.some(({ widget }) => widget !== undefined);
      if (!isWidget) sockets.push([name, spec]);
      else if (isInput) converted.push([name, spec]);
      else if (!isNew) this.addWidget(node, name, spec);
    }
    for (const [name, spec] of sockets) this.addInput(node, name, spec);
    parts.outputs.forEach((output, slot) => {
      this.addOutput(node, slot, output.type);
    });
    return () => {
      for (const [name, spec] of converted) this.addInput(node, name, spec);
    };
  }

  private addWidget(node: EditorNode, name: string, spec: InputSpecJson): void {
    const own = this.nameFor(node, name, spec);
    this.widgets.set(own, widgetKey(node.id, name));
  }

  private addInput(node: EditorNode, name: string, spec: InputSpecJson): void {
    let slot = isReroute(node) ? 0 : node.inputs.findIndex((input) => input.name === name);
    if (slot >= node.inputs.length) slot = -1;
    if (slot >= 0 && node.inputs[slot]!.link !== undefined) return;
    const own = this.nameFor(node, name, spec);
    const type = typeText(spec[0]);
    if (slot < 0) slot = node.inputs.push({ name, type, link: undefined }) - 1;
    const input = node.inputs[slot]!;
    if (input.widget !== undefined) this.widgets.set(own, widgetKey(node.id, name));
    input.link = this.addLink(INPUT_BORDER, this.inputs.length, node.id, slot, type);
    this.inputs.push({ name: own, type });
  }

  private addOutput(node: EditorNode, slot: number, type: string): void {
    const isUsed = [...this.links.values()].some(
      ({ origin, originSlot }) => origin === node.id && originSlot === slot,
    );
    const hidden = isUsed && !this.external.has(`${node.id}:${slot}`);
    const chosen = this.configOf(node, 'output', String(slot)).get('visible');
    if (!(typeof chosen === 'boolean' ? chosen : !hidden)) return;
    this.addLink(node.id, slot, OUTPUT_BORDER, this.outputs.length, type);
    this.outputs.push({ name: type, type });
  }

  /** The name of an input of the group; of two alike, the second has its node's title before it. */
  private nameFor(node: EditorNode, input: string, [type, options]: InputSpecJson): string {
    const chosen = this.configOf(node, 'input', input).get('name');
    let name =
      typeof chosen === 'string' ? chosen : (node.inputs.find((each) => each.name === input)?.label ?? input);
    let key = name;
    if ((node.type === PRIMITIVE && node.title !== undefined) || this.seen.has(name)) {
      const prefix = `${node.title ?? node.type} `;
      key = name = `${prefix}${input}`;
      const count = this.seen.get(name);
      if (count !== undefined) name = `${prefix}${count} ${input}`;
    }
    this.seen.set(key, (this.seen.get(key) ?? 1) + 1);
    const isSeed = input === 'seed' || input === 'noise_seed' || node.type === PRIMITIVE;
    const more = isSeed ? { ...options, control_after_generate: true } : options;
    this.specs.set(name, [type, more]);
    return name;
  }

  private configOf(node: EditorNode, side: string, name: string): LiteralObject {
    const own = isLiteralObject(this.config)
      ? this.config.get(node.id)
      : listOf(this.config)[Number(node.id)];
    return objectOf(objectOf(objectOf(own).get(side)).get(name));
  }

  private partsOf(node: EditorNode): Parts {
    const info = this.infoOf(node.type);
    if (info !== undefined) {
      return { inputs: inputsOfClass(info), outputs: info.output.map((type) => ({ type: typeText(type) })) };
    }
    if (node.type === PRIMITIVE) return this.partsOfPrimitive(node);
    if (isReroute(node)) {
      const type = this.typeThrough(node);
      return { inputs: [[type, [type, { forceInput: true }]]], outputs: [{ type }] };
    }
    const plain = node.inputs.filter(({ widget }) => widget === undefined);
    return {
      inputs: plain.map(({ name, type }) => [name, [type, { forceInput: true }]] as const),
      outputs: node.outputs,
    };
  }

  /** The type that a Reroute passes on, after which its input is named. */
  private typeThrough(node: EditorNode): string {
    const all = [...this.links.values()];
    const next = all.find(({ origin }) => origin === node.id);
    const taken = next && this.nodes[Number(next.target)]?.inputs[next.targetSlot]?.type;
    const given = all.find(({ target }) => target === node.id)?.type;
    const outer = this.given.find(([, , to]) => textOf(to) === node.id)?.[5];
    return (
      [taken, given, textOf(outer)].find((type) => type !== undefined && type !== '' && type !== '*') ?? '*'
    );
  }

  private partsOfPrimitive(node: EditorNode): Parts {
    const link = [...this.links.values()].find(({ origin }) => origin === node.id);
    if (link === undefined) return { inputs: [], outputs: [] };
    const target = this.nodes[Number(link.target)];
    const input = target?.inputs[link.targetSlot];
    const info = target === undefined ? undefined : this.infoOf(target.type);
    const [, spec] =
      (info === undefined ? [] : inputsOfClass(info)).find(([name]) => name === input?.name) ?? [];
    const type = spec?.[0] ?? link.type;
    return {
      inputs: [['value', [type, spec?.[1] ?? {}]]],
      outputs: [{ type: typeText(type) }],
    };
  }
}

function isReroute({ type }: EditorNode): boolean {
  return type === 'Reroute';
}

function classOf(name: string, spec: InputSpecJson): Pick<ClassInfo, 'input' | 'input_order'> {
  return {
    input: { required: { [name]: spec }, optional: {} },
    input_order: { required: [name], optional: [] },
  };
}
