/** Templates and workflows of the host's own. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Job } from '../../jobs/job.js';
import { fillWorkflow, TemplateError } from '../../templates/fill.js';
import { findTemplate } from '../../templates/template-files.js';
import { shorten } from '../../safe-text.js';
import { WorkflowError } from '../../workflow/faults.js';
import { workflowText } from '../../workflow/file-text.js';
import { parseWorkflow } from '../../workflow/parse.js';
import { workflowJson } from '../../workflow/workflow-json.js';
import { workflowLoad } from '../workflow-load.js';
import { StdioFault } from './fault.js';

type Task = Pick<Job, 'task' | 'load'>;

const templateRequest = z.looseObject({
  /** A template's name, or a workflow in API format, as text or as an object. */
  workflow: z.union([z.string().min(1), z.record(z.string(), z.unknown())]),
  prompt: z.string().nullish(),
  negative_prompt: z.string().nullish(),
  model_id: z.string().nullish(),
  width: z.int().min(16).nullish(),
  height: z.int().min(16).nullish(),
  num_inference_steps: z.int().min(1).nullish(),
  guidance_scale: z.number().min(0).nullish(),
  seed: z.int().min(0).nullish(),
  strength: z.number().min(0).max(1).nullish(),
});

/** Throws `StdioFault` for a workflow that isn't there or can't be read, and for values without a place in it. */
export function filledWorkflow(parameters: unknown, graphs: readonly string[]): Task {
  const parsed = templateRequest.safeParse(parameters);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') ?? '';
    throw new StdioFault('invalid_request', `${where}: ${issue?.message ?? 'not as it should be'}`, where);
  }
  const { workflow: given, seed, ...values } = parsed.data;
  try {
    const filled = fillWorkflow(parseWorkflow(textOf(given, graphs)), {
      ...defined('prompt', values.prompt),
      ...defined('negativePrompt', values.negative_prompt),
      ...defined('model', values.model_id),
      ...defined('width', values.width),
      ...defined('height', values.height),
      ...defined('steps', values.num_inference_steps),
      ...defined('cfg', values.guidance_scale),
      ...defined('denoise', values.strength),
      ...(typeof seed === 'number' && { seed: BigInt(seed) }),
    });
    return { task: { workflow: workflowJson(filled) }, load: workflowLoad(filled) };
  } catch (error) {
    if (!(error instanceof WorkflowError || error instanceof TemplateError)) throw error;
    throw new StdioFault('invalid_workflow', `workflow: ${error.message}`, 'workflow');
  }
}

function textOf(given: string | object, graphs: readonly string[]): string {
  if (typeof given === 'object') return JSON.stringify(given);
  if (given.trimStart().startsWith('{')) return given;
  const file = findTemplate(graphs, given);
  if (file !== undefined) return workflowText(readFileSync(file));
  throw new StdioFault(
    'invalid_workflow',
    `workflow: there is no template ${JSON.stringify(shorten(given))}`,
    'workflow',
  );
}

function defined<Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): { readonly [Key in Name]?: Value } {
  return value === null || value === undefined
    ? {}
    : ({ [name]: value } as { readonly [Key in Name]: Value });
}
