/** What ComfyUI writes into the pictures of a run. */
import { isLiteralObject, pythonJson, type Literal, type LiteralObject } from './literal.js';
import type { Plan } from './validate.js';

/**
 * JSON texts by key, byte for byte as ComfyUI's SaveImage makes them: `prompt`, the workflow with its inputs as validation
 * converted them, and each entry of `extra_data.extra_pnginfo`, of which the editor's `workflow` is one.
 */
export function workflowMetadata(plan: Plan): Readonly<Record<string, string>> {
  const prompt = [...plan.workflow.nodes.keys()].map((id): [string, Literal] => [
    id,
    convertedSource(plan, id),
  ]);
  const extra = plan.workflow.extraData['extra_pnginfo'];
  return Object.fromEntries([
    ['prompt', pythonJson(Object.fromEntries(prompt))],
    ...Object.entries(isLiteralObject(extra) ? extra : {}).map(([key, value]) => [key, pythonJson(value)]),
  ]) as Readonly<Record<string, string>>;
}

function convertedSource(plan: Plan, id: string): LiteralObject {
  const node = plan.workflow.nodes.get(id)!;
  const planned = plan.nodes.get(id);
  if (planned === undefined) return node.source;
  const { required, optional } = planned.nodeClass;
  const inputs = [...node.inputs].map(([name, given]): [string, Literal] => {
    const input = planned.inputs.get(name);
    const spec = required[name] ?? optional[name];
    if (input?.kind !== 'constant' || spec === undefined) return [name, given];
    return [name, spec.kind === 'INT' ? BigInt(input.value) : input.value];
  });
  return { ...node.source, inputs: Object.fromEntries(inputs) };
}
