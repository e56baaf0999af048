/**
 * From the editor's form of a workflow to the API's, as ComfyUI's editor does it when a workflow is queued
 * (ComfyUI_frontend, utils/executionUtil.ts, graphToPrompt).
 */
import { FaultList, WorkflowError } from '../faults.js';
import { pythonRepr, type Literal, type LiteralObject } from '../literal.js';
import { processDynamicPrompt, type Random } from './dynamic-prompt.js';
import {
  BYPASSED,
  MUTED,
  readEditorWorkflow,
  type EditorGraph,
  type EditorNode,
  type EditorWorkflow,
} from './graph.js';
import { groupOf, groupStanding } from './group-node.js';
import { resolveInput } from './resolve.js';
import { savedValues, type SavedValues } from './saved-values.js';
import { executionId, widgetKey, type GraphScope } from './scope.js';
import { SEED_EVERYWHERE } from './sender-rules.js';
import { inputsOf } from './slots.js';
import { EndlessSubgraphs, openScopes, subgraphStanding } from './subgraph.js';
import { replaceTexts, SAVERS } from './text-replacements.js';
import { addEverywhereLinks } from './use-everywhere.js';
import { isVirtual } from './virtual-nodes.js';
import type { InfoOf, Widget } from './widgets.js';

export interface EditorOptions {
  /** What each node class takes, as `object_info` has it. */
  readonly infoOf: InfoOf;
  /** What dynamic prompts and seeds that are drawn anew are chosen with; `Math.random` when left out. */
  readonly random?: Random;
  /** For dates in file names. */
  readonly now?: Date;
}

export interface Conversion {
  /** Nodes by id, as the API takes them. */
  readonly prompt: LiteralObject;
  /** Classes that aren't there and whose values the file doesn't name, so that the prompt lacks them. */
  readonly incomplete: readonly string[];
}

/**
 * Throws `WorkflowError` for nodes with values that their classes have no widgets for (all of them at once, unless a class is
 * missing, which validation says better), and for subgraphs without end.
 */
export function convertEditorWorkflow(value: LiteralObject, options: EditorOptions): Conversion {
  const workflow = readEditorWorkflow(value);
  return new Converter(workflow, options).convert();
}

class Converter {
  private readonly infoOf: InfoOf;
  private readonly random: Random;
  private readonly now: Date;
  private readonly prompt = new Map<string, LiteralObject>();
  private readonly faults = new FaultList();
  private readonly incomplete = new Set<string>();
  private readonly saved = new Map<EditorNode, SavedValues>();
  private lacksClasses = false;

  constructor(
    private readonly workflow: EditorWorkflow,
    { infoOf, random = Math.random, now = new Date() }: EditorOptions,
  ) {
    this.infoOf = infoOf;
    this.random = random;
    this.now = now;
  }

  convert(): Conversion {
    for (const graph of [this.workflow, ...this.workflow.subgraphs.values()]) {
      unmuteAtRandom(graph, this.random);
      addEverywhereLinks(graph, this.infoOf);
    }
    this.addNodes(this.openScopes());
    if (!this.faults.isEmpty && !this.lacksClasses) {
      throw new WorkflowError(this.faults.report(([first]) => first!.fault));
    }
    return { prompt: inJavaScriptOrder(this.withoutLooseLinks()), incomplete: [...this.incomplete] };
  }

  private openScopes(): GraphScope {
    const { subgraphs, extra } = this.workflow;
    try {
      return openScopes(this.workflow, (node, outer) => {
        const subgraph = subgraphs.get(node.type);
        if (subgraph !== undefined) return subgraphStanding(node, subgraph, outer, this.infoOf);
        const group = groupOf(node.type, extra);
        return group === undefined ? undefined : groupStanding(node, group, this.infoOf);
      });
    } catch (error) {
      if (!(error instanceof EndlessSubgraphs)) throw error;
      const details = 'its subgraphs contain themselves, or lie too deep or too often within one another';
      throw new WorkflowError({
        error: { type: 'invalid_prompt', message: 'Not a workflow', details, extra_info: {} },
        node_errors: {},
      });
    }
  }

  private addNodes(scope: GraphScope): void {
    for (const node of scope.graph.nodes.values()) {
      if (node.mode === MUTED || node.mode === BYPASSED || isVirtual(node.type)) continue;
      const inner = scope.inner.get(node.id);
      if (inner === undefined) this.addNode(scope, node);
      else this.addNodes(inner);
    }
  }

  private addNode(scope: GraphScope, node: EditorNode): void {
    const id = executionId(scope, node);
    const info = this.infoOf(node.type);
    const saved = this.savedOf(node);
    if (info === undefined && node.type !== SEED_EVERYWHERE) {
      this.lacksClasses = true;
      if (saved.nameless) this.incomplete.add(node.type);
    }
    const values = new Map(saved.values);
    for (const [name] of values) {
      const given = scope.widgetValues.get(widgetKey(node.id, name));
      if (given !== undefined) values.set(name, given);
    }
    const settled = new Set<string>();
    const links = new Map<string, Literal>();
    for (const input of inputsOf(node, this.infoOf)) {
      const resolved = resolveInput(scope, node, input, this.infoOf);
      if (resolved === undefined) continue;
      const name = input.widget ?? input.name;
      if (resolved.kind === 'link') links.set(input.name, [resolved.id, BigInt(resolved.slot)]);
      else {
        values.set(name, resolved.value);
        if (resolved.isPromoted) settled.add(name);
      }
    }
    for (const { widget, value } of saved.foreign) {
      if (!links.has(widget.name) && values.get(widget.name) === value)
        this.addFault(id, node, saved, widget, value);
    }
    const inputs = new Map<string, Literal>();
    for (const [name, value] of values) {
      const widget = saved.widgets.get(name);
      inputs.set(name, asInput(widget, settled.has(name) ? value : this.asQueued(node, widget, name, value)));
    }
    for (const [name, link] of links) inputs.set(name, link);
    this.prompt.set(id, nodeOf(node, inputs, node.title ?? info?.display_name ?? node.type));
  }

  private savedOf(node: EditorNode): SavedValues {
    let saved = this.saved.get(node);
    if (saved === undefined) this.saved.set(node, (saved = savedValues(node, this.infoOf)));
    return saved;
  }

  /** What the editor makes of some values when a workflow is queued. */
  private asQueued(node: EditorNode, widget: Widget | undefined, name: string, value: Literal): Literal {
    if (node.type === 'Seed (rgthree)' && name === 'seed') return this.seedOf(node, value);
    if (typeof value !== 'string') return value;
    if (widget?.options['dynamicPrompts'] === true) return processDynamicPrompt(value, this.random);
    if (name !== 'filename_prefix' || !SAVERS.has(node.type)) return value;
    const nodes = [this.workflow, ...this.workflow.subgraphs.values()].flatMap((graph) => [
      ...graph.nodes.values(),
    ]);
    return replaceTexts(value, nodes, (each, wanted) => this.savedOf(each).values.get(wanted), this.now);
  }

  /** rgthree's node draws another seed for −1, −2 and −3, which stand for random, the next and the last. */
  private seedOf({ properties }: EditorNode, value: Literal): Literal {
    if (![-1, -2, -3].includes(Number(value))) return value;
    const min = Number(properties.get('randomMin') ?? 0);
    const max = Number(properties.get('randomMax') ?? 2 ** 50);
    return BigInt(Math.floor(this.random() * (max - min)) + min);
  }

  private addFault(
    id: string,
    node: EditorNode,
    { places }: SavedValues,
    widget: Widget,
    value: Literal,
  ): void {
    const names = places.map((place) => place?.name ?? "(the editor's own)");
    this.faults.add(id, node.type, () => ({
      type: 'widgets_changed',
      message: `The file was saved when ${node.type} had other widgets`,
      details:
        `${widget.name} would be ${pythonRepr(value)}, which is no ${widget.type}; the class has ${names.join(', ')} ` +
        'now: open the file in a newer editor, set the values and save it again',
      extra_info: { input_name: widget.name, node_id: id },
    }));
  }

  /** Inputs that are linked to nodes which don't run are left out. */
  private withoutLooseLinks(): Map<string, LiteralObject> {
    for (const [id, node] of this.prompt) {
      const inputs = node.get('inputs') as LiteralObject;
      const kept = [...inputs].filter(([, value]) => !isLooseLink(value, this.prompt));
      if (kept.length < inputs.size) this.prompt.set(id, new Map(node).set('inputs', new Map(kept)));
    }
    return this.prompt;
  }
}

function isLooseLink(value: Literal, prompt: ReadonlyMap<string, unknown>): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const from = (value as readonly Literal[])[0];
  return typeof from === 'string' && !prompt.has(from);
}

function nodeOf(node: EditorNode, inputs: LiteralObject, title: string): LiteralObject {
  const isSeed = node.type === SEED_EVERYWHERE;
  const seed = isSeed
    ? (inputs.get('seed') ??
      (Array.isArray(node.values) ? (node.values as readonly Literal[])[0] : undefined))
    : undefined;
  return new Map<string, Literal>([
    // The pack's newer versions put ComfyUI's own node in the place of this.
    ['inputs', isSeed ? new Map([['value', seed ?? 0n]]) : inputs],
    ['class_type', isSeed ? 'PrimitiveInt' : node.type],
    ['_meta', new Map([['title', title]])],
  ]);
}

/** Lists are marked as values, for two of anything would be a link. */
function asInput(widget: Widget | undefined, value: Literal): Literal {
  if (widget?.type === 'IMAGECOMPARE') return new Map([['__value__', ['', '']]]);
  if (widget?.type === 'CURVE')
    return new Map<string, Literal>([
      ['__type__', 'CURVE'],
      ['__value__', value],
    ]);
  return Array.isArray(value) ? new Map([['__value__', value]]) : value;
}

/** Keys that are whole numbers first, and in their order: so the editor's JavaScript objects have them, and runs go by it. */
function inJavaScriptOrder(prompt: ReadonlyMap<string, LiteralObject>): LiteralObject {
  const isIndex = (id: string) => /^(0|[1-9]\d{0,9})$/.test(id) && Number(id) < 2 ** 32 - 1;
  const entries = [...prompt];
  const indices = entries.filter(([id]) => isIndex(id)).sort(([one], [other]) => Number(one) - Number(other));
  return new Map([...indices, ...entries.filter(([id]) => !isIndex(id))]);
}

/** rgthree's Random Unmuter: of the nodes linked to it, all of which are muted, one runs. */
function unmuteAtRandom({ nodes, links }: EditorGraph, random: Random): void {
  for (const node of nodes.values()) {
    if (node.type !== 'Random Unmuter (rgthree)' || node.mode === MUTED || node.mode === BYPASSED) continue;
    const linked = node.inputs.flatMap(({ link }) => nodes.get(links.get(link ?? '')?.origin ?? '') ?? []);
    if (linked.length === 0 || linked.some(({ mode }) => mode !== MUTED)) continue;
    linked[Math.floor(random() * linked.length)]!.mode = 0;
  }
}
