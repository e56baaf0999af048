/**
 * What a node's result depends on, as a key: its class, its fingerprint, its constants, and the signatures of the nodes that it
 * is linked to. ComfyUI's CacheKeySetInputSignature (comfy_execution/caching.py); two nodes with one signature give the same
 * result, wherever they stand and in whichever workflow.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Folders } from '../models/folders.js';
import type { RunContext } from '../nodes/context.js';
import { executionOrder } from './order.js';
import type { Plan, PlannedNode } from './validate.js';

/** Signatures of a plan's nodes by id. */
export function signatures(
  plan: Plan,
  { folders, noise }: Pick<RunContext, 'folders' | 'noise'>,
): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  const around = { folders, noise: JSON.stringify([noise.noise ?? 'cpu', noise.gpuThreads]) };
  for (const id of executionOrder(plan, () => false)) {
    known.set(id, signatureOf(plan.nodes.get(id)!, around, known));
  }
  return known;
}

function signatureOf(
  node: PlannedNode,
  { folders, noise }: { readonly folders: Folders; readonly noise: string },
  known: ReadonlyMap<string, string>,
): string {
  // A fingerprint that can't be taken equals no other, so that the node runs and says itself what is wrong.
  const parts: unknown[] = [node.nodeClass.name, fingerprintOf(node, folders) ?? randomUUID()];
  if (node.nodeClass.drawsNoise === true) parts.push(noise);
  for (const name of [...node.inputs.keys()].sort()) {
    const input = node.inputs.get(name)!;
    if (input.kind === 'link') parts.push(name, known.get(input.from), input.slot);
    else
      parts.push(
        name,
        typeof input.value,
        typeof input.value === 'bigint' ? input.value.toString() : input.value,
      );
  }
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

/** What a node's class says beside its inputs, if anything. Undefined where that can't be found out. */
export function fingerprintOf(node: PlannedNode, folders: Folders): string | undefined {
  if (node.nodeClass.fingerprint === undefined) return '';
  const constants = [...node.inputs].flatMap(([name, input]): [string, unknown][] =>
    input.kind === 'constant' ? [[name, input.value]] : [],
  );
  try {
    return node.nodeClass.fingerprint(Object.fromEntries(constants) as never, folders);
  } catch {
    return undefined;
  }
}
