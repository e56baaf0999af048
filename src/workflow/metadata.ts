/** What ComfyUI writes into the pictures of a run. */
import type { Folders } from '../models/folders.js';
import { isLiteralObject, pythonJson, type Literal, type LiteralObject } from './literal.js';
import { fingerprintOf } from './signature.js';
import type { Plan, PlannedNode } from './validate.js';

/**
 * JSON texts by key, byte for byte as ComfyUI's SaveImage makes them: `prompt`, the workflow with its inputs as validation
 * converted them and what ComfyUI's IsChangedCache (execution.py) notes, and each entry of `extra_data.extra_pnginfo`, of which the editor's `workflow` is one.
 */
export function workflowMetadata(plan: Plan, folders: Folders): Readonly<Record<string, string>> {
  const prompt = [...plan.workflow.nodes.keys()].map((id): [string, Literal] => [
    id,
    nodeAsRun(plan, id, folders),
  ]);
  const extra = plan.workflow.extraData.get('extra_pnginfo');
  return Object.fromEntries([
    ['prompt', pythonJson(new Map(prompt))],
    ...[...(isLiteralObject(extra) ? extra : [])].map(([key, value]) => [key, pythonJson(value)]),
  ]) as Readonly<Record<string, string>>;
}

function nodeAsRun(plan: Plan, id: string, folders: Folders): LiteralObject {
  const { source } = plan.workflow.nodes.get(id)!;
  const planned = plan.nodes.get(id);
  if (planned === undefined) return source;
  const asRun = new Map(source).set('inputs', convertedInputs(plan, planned));
  if (planned.nodeClass.tellsFingerprint === true && !source.has('is_changed')) {
    const fingerprint = fingerprintOf(planned, folders);
    asRun.set('is_changed', fingerprint === undefined ? NaN : [fingerprint]);
  }
  return asRun;
}

function convertedInputs(plan: Plan, { id, nodeClass, inputs: planned }: PlannedNode): LiteralObject {
  const { required, optional } = nodeClass;
  const inputs = [...plan.workflow.nodes.get(id)!.inputs].map(([name, given]): [string, Literal] => {
    const input = planned.get(name);
    const spec = required[name] ?? optional[name];
    if (input?.kind !== 'constant' || spec === undefined) return [name, given];
    return [name, spec.kind === 'INT' ? BigInt(input.value) : input.value];
  });
  return new Map(inputs);
}
