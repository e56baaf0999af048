/** What ComfyUI writes into the pictures of a run. */
import type { Folders } from '../models/folders/folders.js';
import type { InputSpec } from '../nodes/definition.js';
import { isLiteralObject, pythonJson, type Literal, type LiteralObject } from './literal.js';
import { fingerprintOf } from './signature.js';
import type { Plan, PlannedNode } from './plan.js';

/**
 * JSON texts by key, byte for byte as ComfyUI's SaveImage makes them: `prompt`, the workflow with its inputs as validation
 * converted them and what ComfyUI's IsChangedCache (execution.py) notes, and each entry of `extra_data.extra_pnginfo`, of which the editor's `workflow` is one.
 */
export function workflowMetadata(plan: Plan, folders: Folders): Readonly<Record<string, string>> {
  const extra = plan.workflow.extraData.get('extra_pnginfo');
  return Object.fromEntries([
    ['prompt', pythonJson(promptAsRun(plan, folders))],
    ...[...(isLiteralObject(extra) ? extra : [])].map(([key, value]) => [key, pythonJson(value)]),
  ]) as Readonly<Record<string, string>>;
}

/** The workflow's nodes by id, as ComfyUI's `PROMPT` is. */
export function promptAsRun(plan: Plan, folders: Folders): LiteralObject {
  return new Map([...plan.workflow.nodes.keys()].map((id) => [id, nodeAsRun(plan, id, folders)]));
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

function convertedInputs(plan: Plan, { id, inputs: planned, table }: PlannedNode): LiteralObject {
  const inputs = [...plan.workflow.nodes.get(id)!.inputs].map(([name, given]): [string, Literal] => {
    const input = planned.get(name);
    const spec = table.inputs.get(name)?.spec;
    return [name, (input?.kind === 'constant' ? converted(input.value, spec) : undefined) ?? given];
  });
  return new Map(inputs);
}

/** What validation makes of a literal; undefined where it leaves it as it is. */
function converted(value: unknown, spec: InputSpec | undefined): Literal | undefined {
  switch (spec?.kind) {
    case 'INT':
      return typeof value === 'number' ? BigInt(value) : undefined;
    case 'SEED':
    case 'FLOAT':
    case 'STRING':
    case 'BOOLEAN':
    case 'COMBO':
      return value as Literal;
    default:
      return undefined;
  }
}
