/**
 * What a node's result depends on, as a key: its class, its fingerprint, its constants, and the signatures of the nodes that it
 * is linked to. ComfyUI's CacheKeySetInputSignature (comfy_execution/caching.py); two nodes with one signature give the same
 * result, wherever they stand and in whichever workflow.
 */
import { hash, randomUUID } from 'node:crypto';
import type { Folders } from '../models/folders/folders.js';
import type { RunContext } from '../nodes/context.js';
import { nestInputs, type InputTable } from './input-table.js';
import { reachable } from './links.js';
import { plannedEdges, type PlannedNode } from './plan.js';

/** Signatures of a graph's nodes by id, made when they are asked for: the graph may grow. */
export class Signatures {
  private readonly known = new Map<string, string>();
  private readonly folders: Folders;
  private readonly noise: string;

  constructor(
    private readonly nodeOf: (id: string) => PlannedNode,
    { folders, noise }: Pick<RunContext, 'folders' | 'noise'>,
  ) {
    this.folders = folders;
    this.noise = JSON.stringify([noise.noise ?? 'cpu', noise.gpuThreads]);
  }

  of(id: string): string {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const unknownEdges = (node: string) =>
      plannedEdges(this.nodeOf(node)).filter(({ from }) => !this.known.has(from));
    // A plan has nodes behind what they need, so that mostly nothing else is to be made.
    const needed = unknownEdges(id).length === 0 ? [id] : reachable([id], unknownEdges).nodes;
    for (const node of needed) this.known.set(node, this.make(this.nodeOf(node)));
    return this.known.get(id)!;
  }

  private make(node: PlannedNode): string {
    const { nodeClass } = node;
    // A fingerprint that can't be taken equals no other, so that the node runs and says itself what is wrong.
    const parts: unknown[] = [nodeClass.name, fingerprintOf(node, this.folders) ?? randomUUID()];
    if (nodeClass.drawsNoise === true) parts.push(this.noise);
    const own = nodeClass.hidden !== undefined && Object.values(nodeClass.hidden).includes('UNIQUE_ID');
    if (own || nodeClass.notIdempotent === true) parts.push(['id', node.id]);
    for (const name of sortedNames(node)) {
      const input = node.inputs.get(name)!;
      if (input.kind === 'link') parts.push(name, this.known.get(input.from), input.slot);
      else parts.push(name, [input.type, plainText(input.value)]);
    }
    return hash('sha256', JSON.stringify(parts), 'base64');
  }
}

const sortedTables = new WeakMap<InputTable, readonly string[]>();

/** Names of the inputs that a node is given, sorted. */
function sortedNames({ inputs, table }: PlannedNode): readonly string[] {
  let all = sortedTables.get(table);
  if (all === undefined) sortedTables.set(table, (all = [...table.inputs.keys()].sort()));
  const names = all.filter((name) => inputs.has(name));
  // Some classes take inputs that aren't in their tables.
  return names.length === inputs.size ? names : [...inputs.keys()].sort();
}

/** A constant as text with its types; objects that are no plain data, which expanding nodes give, equal no other. */
function plainText(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(plainText)];
  if (typeof value !== 'object' || value === null) return [typeof value, String(value)];
  if (Object.getPrototypeOf(value) !== Object.prototype) return ['object', randomUUID()];
  return ['fields', ...Object.entries(value).map(([key, item]) => [key, plainText(item)])];
}

/** What a node's class says beside its inputs, if anything. Undefined where that can't be found out. */
export function fingerprintOf(node: PlannedNode, folders: Folders): string | undefined {
  if (node.nodeClass.fingerprint === undefined) return '';
  const constants: (readonly [string, unknown])[] = [];
  for (const [name, input] of node.inputs) if (input.kind === 'constant') constants.push([name, input.value]);
  try {
    const inputs = nestInputs(Object.fromEntries(constants), node.table);
    return node.nodeClass.fingerprint(inputs as never, folders);
  } catch {
    return undefined;
  }
}
