/**
 * Puts a request's values into a workflow: a prompt, a seed, a size and so on go into the nodes that feed its samplers, found
 * by following their links. Node classes are told apart by the inputs they have, so custom ones take part.
 */
import type { Literal } from '../workflow/literal.js';
import type { Workflow, WorkflowNode } from '../workflow/parse.js';
import { mapInputs } from './edit-workflow.js';
import { insertLora } from './insert-lora.js';
import { isLink, linkedNode, upstream, type Nodes } from './links.js';
import { fillPlaceholders } from './placeholders.js';

/** What is left out stays as the workflow has it. */
export interface TemplateValues {
  readonly prompt?: string;
  readonly negativePrompt?: string;
  readonly model?: string;
  readonly lora?: string;
  readonly loraStrength?: number;
  readonly width?: number;
  readonly height?: number;
  /** Images of one run, where the workflow begins with an empty latent. */
  readonly batchSize?: number;
  readonly steps?: number;
  readonly cfg?: number;
  readonly seed?: bigint;
  readonly samplerName?: string;
  readonly scheduler?: string;
  readonly denoise?: number;
  /** `{{BATCH_INDEX}}` and `{{FRAME_INDEX}}`, from 0; or a text to stand for any of them. */
  readonly batchIndex?: number | string;
  readonly frameIndex?: number | string;
}

/** A value that was given and has no place in the workflow. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Notes a value for an input that the node writes out; false for inputs that are linked or that it hasn't. */
type Setter = (node: WorkflowNode, input: string, value: Literal | undefined) => boolean;

/**
 * The workflow with the values in place. A text with `{{PROMPT}}` keeps what stands around it; another is replaced. A LoRA for
 * which the workflow has no node gets one. Throws `TemplateError` when a model or LoRA is given and no checkpoint is loaded.
 */
export function fillWorkflow(workflow: Workflow, values: TemplateValues): Workflow {
  const { nodes } = workflow;
  const changes = new Map<string, Map<string, Literal>>();
  const set: Setter = (node, input, value) => {
    if (value === undefined || !node.inputs.has(input) || isLink(node.inputs.get(input))) return false;
    const inputs = changes.get(node.id) ?? new Map<string, Literal>();
    changes.set(node.id, inputs.set(input, value));
    return true;
  };
  const samplers = [...nodes.values()].filter(isSampler);
  fillPrompts(nodes, samplers, values, set);
  for (const sampler of samplers) {
    fillSampler(nodes, sampler, values, set);
    fillCanvas(nodes, sampler, values, set);
  }
  const setAll = (input: string, value: Literal | undefined) =>
    [...nodes.values()].map((node) => set(node, input, value)).some(Boolean);
  if (values.model !== undefined && !setAll('ckpt_name', values.model)) {
    throw new TemplateError(
      `no node of the workflow loads a checkpoint, so there is no place for ${values.model}`,
    );
  }
  const hasLora = setAll('lora_name', values.lora);
  if (hasLora) {
    setAll('strength_model', values.loraStrength);
    setAll('strength_clip', values.loraStrength);
  }
  const filled = fillPlaceholders(
    mapInputs(workflow, (given, input, node) => changes.get(node.id)?.get(input) ?? given),
    {
      PROMPT: values.prompt ?? '',
      BATCH_INDEX: values.batchIndex ?? 0,
      FRAME_INDEX: values.frameIndex ?? 0,
    },
  );
  return values.lora === undefined || hasLora ? filled : withLora(filled, samplers, values.lora, values);
}

/** What turns a latent into another along a conditioning, itself or by a guider. */
function isSampler(node: WorkflowNode): boolean {
  return (
    isLink(node.inputs.get('latent_image')) &&
    (isLink(node.inputs.get('positive')) || isLink(node.inputs.get('guider')))
  );
}

/** With SamplerCustom and its kind, seed, steps and sampler stand in nodes of their own that hang on the sampler. */
const SAMPLER_PARTS = ['guider', 'noise', 'sampler', 'sigmas'] as const;

function fillSampler(nodes: Nodes, sampler: WorkflowNode, values: TemplateValues, set: Setter): void {
  const steps = values.steps === undefined ? undefined : BigInt(values.steps);
  for (const node of [sampler, ...upstream(nodes, sampler, SAMPLER_PARTS, SAMPLER_PARTS)]) {
    set(node, 'seed', values.seed);
    set(node, 'noise_seed', values.seed);
    set(node, 'steps', steps);
    set(node, 'cfg', values.cfg);
    set(node, 'sampler_name', values.samplerName);
    set(node, 'scheduler', values.scheduler);
    set(node, 'denoise', values.denoise);
  }
}

/** The size belongs to the first sampling; what refines its result has a size of its own. */
function fillCanvas(nodes: Nodes, sampler: WorkflowNode, values: TemplateValues, set: Setter): void {
  const sources = [...upstream(nodes, sampler, ['latent_image'], undefined, isSampler)];
  if (values.width === undefined || values.height === undefined || sources.some(isSampler)) return;
  for (const node of sources) {
    if (!node.inputs.has('width') || !node.inputs.has('height')) continue;
    set(node, 'width', BigInt(values.width));
    set(node, 'height', BigInt(values.height));
    set(node, 'batch_size', values.batchSize === undefined ? undefined : BigInt(values.batchSize));
  }
}

/**
 * The texts behind `positive` and `negative`. Where both lead to the same node, or to none, the titles "Positive Prompt" and
 * "Negative Prompt" decide.
 */
function fillPrompts(
  nodes: Nodes,
  samplers: readonly WorkflowNode[],
  values: TemplateValues,
  set: Setter,
): void {
  const heads = samplers.flatMap((sampler) => [sampler, linkedNode(nodes, sampler, 'guider') ?? []].flat());
  const behind = (...inputs: readonly string[]) =>
    new Set(heads.flatMap((head) => [...upstream(nodes, head, inputs)].filter(hasText)));
  const titled = (title: string) =>
    [...nodes.values()].filter((node) => node.title?.trim().toLowerCase() === title && hasText(node));
  // BasicGuider has one conditioning, which is the positive one.
  const positives = behind('positive', 'conditioning');
  const negatives = behind('negative');
  const only = (own: Set<WorkflowNode>, other: Set<WorkflowNode>, title: string) => {
    const exclusive = [...own].filter((node) => !other.has(node));
    return exclusive.length > 0 ? exclusive : titled(title);
  };
  for (const node of only(positives, negatives, 'positive prompt')) fillText(node, values.prompt, set);
  for (const node of only(negatives, positives, 'negative prompt')) {
    fillText(node, values.negativePrompt, set);
  }
}

const TEXT_INPUTS = ['text', 'text_g', 'text_l'] as const;

function hasText(node: WorkflowNode): boolean {
  return TEXT_INPUTS.some((input) => typeof node.inputs.get(input) === 'string');
}

function fillText(node: WorkflowNode, text: string | undefined, set: Setter): void {
  for (const input of TEXT_INPUTS) {
    const given = node.inputs.get(input);
    if (typeof given === 'string' && !given.includes('{{PROMPT}}')) set(node, input, text);
  }
}

function withLora(
  workflow: Workflow,
  samplers: readonly WorkflowNode[],
  lora: string,
  { loraStrength = 1 }: TemplateValues,
): Workflow {
  const sources = samplers.flatMap((sampler) => [
    ...upstream(workflow.nodes, sampler, ['model', 'guider'], ['model']),
  ]);
  const checkpoint = sources.find((node) => node.inputs.has('ckpt_name'));
  if (checkpoint !== undefined) return insertLora(workflow, checkpoint, lora, loraStrength);
  throw new TemplateError(`no node of the workflow loads a checkpoint, so there is no place for ${lora}`);
}
