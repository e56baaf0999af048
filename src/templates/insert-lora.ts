import { literalObject } from '../workflow/literal.js';
import type { Workflow, WorkflowNode } from '../workflow/parse.js';
import { mapInputs } from './edit-workflow.js';
import { isLink } from './links.js';

/**
 * The workflow with a LoraLoader behind a checkpoint loader: whoever took model or text encoder from the checkpoint takes it
 * from the LoRA.
 */
export function insertLora(
  workflow: Workflow,
  checkpoint: WorkflowNode,
  lora: string,
  strength: number,
): Workflow {
  const id = unusedId(workflow);
  const rewired = mapInputs(workflow, (value) =>
    isLink(value) && value[0] === checkpoint.id && value[1] < 2n ? [id, value[1]] : value,
  );
  const inputs = literalObject({
    lora_name: lora,
    strength_model: strength,
    strength_clip: strength,
    model: [checkpoint.id, 0n],
    clip: [checkpoint.id, 1n],
  });
  const node: WorkflowNode = {
    id,
    classType: 'LoraLoader',
    title: 'LoRA',
    inputs,
    source: literalObject({ class_type: 'LoraLoader', inputs, _meta: literalObject({ title: 'LoRA' }) }),
  };
  return { ...rewired, nodes: new Map(rewired.nodes).set(id, node) };
}

/** ComfyUI numbers its nodes. */
function unusedId({ nodes }: Workflow): string {
  let id = nodes.size + 1;
  while (nodes.has(String(id))) id++;
  return String(id);
}
