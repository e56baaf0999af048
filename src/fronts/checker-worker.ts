/**
 * The thread that looks at workflows and models for the daemon: it knows the node classes, which the daemon's own thread does
 * without, and a workflow of a megabyte keeps nobody waiting but its client.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { chooseCheckpoint, putShipped } from '../engine/available-checkpoint.js';
import { loadNodePacks } from '../engine/node-packs.js';
import { pictureWork, type CountedWork } from '../engine/picture-work.js';
import type { JobLoad } from '../jobs/job.js';
import { createFolders, type FolderOptions } from '../models/folders/folders.js';
import { ModelError } from '../models/model-error.js';
import { STARTER } from '../models/folders/starter.js';
import { nodeClasses } from '../nodes/index.js';
import { WorkflowError, type FaultReport } from '../workflow/faults.js';
import { pythonJson, type Json, type Literal } from '../workflow/literal.js';
import { editorReader } from '../workflow/editor/from-editor.js';
import { objectInfo, objectInfoText } from '../workflow/object-info.js';
import { parseWorkflow, type Workflow } from '../workflow/parse.js';
import { validateWorkflow } from '../workflow/validate.js';
import { workflowJson } from '../workflow/workflow-json.js';
import { NO_LOAD, workflowLoad } from './workflow-load.js';

export interface CheckerSettings {
  readonly folders: FolderOptions;
  readonly nodePacks: readonly string[];
  /** The starter model may be put into the models folder where no checkpoint is there. */
  readonly mayPutStarter: boolean;
}

/** Of a workflow that can run, with `report` where some of its outputs can't; of one that can't run at all, no outputs. */
export interface Examination {
  /** Ids of the output nodes that can run. */
  readonly outputs: readonly string[];
  readonly report?: FaultReport;
  readonly load: JobLoad;
}

/** A /prompt request: what it is, and what a job of it runs. */
export interface PromptReading extends Examination {
  /** For a `JobTask`; the texts below are parts of it. */
  readonly task: string;
  /** Where in `task` the nodes and the `extra_data` stand, as ComfyUI's clients see them again: from, to. */
  readonly prompt: readonly [number, number];
  readonly extraData: readonly [number, number];
}

export type CheckerRequest = { readonly ticket: number } & (
  | { readonly kind: 'check' | 'examine' | 'convert'; readonly workflow: string }
  | {
      readonly kind: 'prompt';
      readonly body: string;
      readonly extra: Readonly<Record<string, Json | undefined>>;
    }
  | { readonly kind: 'object_info'; readonly nodeClass: string | undefined }
  | { readonly kind: 'choose' }
  | { readonly kind: 'count'; readonly workflow: string; readonly model: string; readonly pixels: number }
);

export type CheckerReply = { readonly ticket: number } & (
  | { readonly result: FaultReport | CountedWork | Examination | PromptReading | string | undefined }
  | { readonly error: string }
);

if (parentPort === null) throw new Error('checker-worker.js is started by checker.js');
const port = parentPort;
const { folders: folderOptions, nodePacks, mayPutStarter } = workerData as CheckerSettings;
const folders = createFolders(folderOptions);
const packed = await loadNodePacks(nodePacks);
/** By file, as it was, and canvas. */
const works = new Map<string, CountedWork>();
const MAX_WORKS = 1000;
const registry = new Map([...nodeClasses, ...packed.map((node) => [node.name, node] as const)]);
const wholeObjectInfo = objectInfoText(registry, folders);

port.on('message', (request: CheckerRequest) => {
  const { ticket } = request;
  try {
    const result = answer(request);
    port.postMessage({ ticket, result } satisfies CheckerReply);
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    port.postMessage({ ticket, error } satisfies CheckerReply);
  }
});

function answer(request: CheckerRequest): Extract<CheckerReply, { result: unknown }>['result'] {
  switch (request.kind) {
    case 'check':
      return check(request.workflow);
    case 'examine':
      return examine(request.workflow);
    case 'prompt':
      return readPrompt(request);
    case 'object_info':
      return describeNodes(request.nodeClass);
    case 'convert':
      return convert(request.workflow);
    case 'choose':
      return choose();
    case 'count':
      return count(request);
  }
}

/** Undefined for what can't be read; its job will say why. */
function count({
  workflow,
  model,
  pixels,
}: Extract<CheckerRequest, { kind: 'count' }>): CountedWork | undefined {
  try {
    const parsed = parseWorkflow(workflow);
    const nodes = [...parsed.nodes.values()];
    // What ComfyUI, and the sampler here, take for a reason to leave the negative prompt out.
    const guided = nodes.every(({ inputs }) => !isOne(inputs.get('cfg')));
    const path = folders.resolve('checkpoints', model);
    const { size, mtimeMs } = statSync(path);
    const controls = appliedControls(parsed.nodes).map((name) => folders.resolve('controlnet', name));
    const key = [path, size, mtimeMs, pixels, guided, ...controls].join('\n');
    const known = works.get(key);
    if (known !== undefined) return known;
    const work = pictureWork(path, { pixels, guided }, controls);
    if (works.size >= MAX_WORKS) works.clear();
    works.set(key, work);
    return work;
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

/** Names of files of controls, one for each node that applies one. */
function appliedControls(nodes: ReturnType<typeof parseWorkflow>['nodes']): readonly string[] {
  return [...nodes.values()].flatMap(({ inputs }) => {
    if (!inputs.has('strength')) return [];
    let name: unknown;
    // Nodes on the way (SetUnionControlNetType) hand a control on; a circle ends as well.
    let link = inputs.get('control_net');
    for (let steps = 0; Array.isArray(link) && steps < nodes.size; steps++) {
      const from = nodes.get(String(link[0]))?.inputs;
      name = from?.get('control_net_name');
      link = from?.get('control_net');
    }
    return typeof name === 'string' ? [name] : [];
  });
}

function isOne(value: unknown): boolean {
  return value === 1 || value === 1n;
}

function check(text: string): FaultReport | undefined {
  try {
    const validation = validateWorkflow(parseWorkflow(text), registry, folders);
    return validation.valid ? undefined : validation.report;
  } catch (error) {
    if (error instanceof WorkflowError) return error.report;
    throw error;
  }
}

/** JSON text in the API form, of a workflow in either. */
function convert(text: string): string | FaultReport {
  try {
    return workflowJson(parseWorkflow(text, { fromEditor: editorReader(registry, folders) }));
  } catch (error) {
    if (error instanceof WorkflowError) return error.report;
    throw error;
  }
}

function examine(text: string): Examination {
  try {
    return examined(parseWorkflow(text));
  } catch (error) {
    return notAWorkflow(error);
  }
}

function examined(workflow: Workflow): Examination {
  const validation = validateWorkflow(workflow, registry, folders);
  const outputs = validation.valid ? validation.plan.outputs : [];
  const { report } = validation;
  return { outputs, load: workflowLoad(workflow), ...(report !== undefined && { report }) };
}

function notAWorkflow(error: unknown): Examination {
  if (error instanceof WorkflowError) return { outputs: [], load: NO_LOAD, report: error.report };
  throw error;
}

function readPrompt({ body, extra }: Extract<CheckerRequest, { kind: 'prompt' }>): PromptReading {
  try {
    const workflow = parseWorkflow(body, { fromEditor: editorReader(registry, folders) });
    const extraData = new Map(workflow.extraData);
    for (const [key, value] of Object.entries(extra)) {
      if (value === undefined) extraData.delete(key);
      else extraData.set(key, asLiteral(value));
    }
    const prompt = workflowJson({ ...workflow, extraData: new Map() });
    const extraJson = pythonJson(extraData);
    const head = '{"prompt": ';
    const middle = ', "extra_data": ';
    const targets =
      workflow.targets === undefined ? '' : `, "partial_execution_targets": ${pythonJson(workflow.targets)}`;
    const extraAt = head.length + prompt.length + middle.length;
    return {
      ...examined(workflow),
      task: `${head}${prompt}${middle}${extraJson}${targets}}`,
      prompt: [head.length, head.length + prompt.length],
      extraData: [extraAt, extraAt + extraJson.length],
    };
  } catch (error) {
    return { ...notAWorkflow(error), task: '', prompt: [0, 0], extraData: [0, 0] };
  }
}

/** Whole numbers are integers. */
function asLiteral(value: Json): Literal {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(asLiteral);
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, item]) => [key, asLiteral(item)]));
  }
  return value;
}

function describeNodes(name: string | undefined): string {
  if (name === undefined) return wholeObjectInfo();
  const node = registry.get(name);
  return JSON.stringify(node === undefined ? {} : objectInfo(new Map([[name, node]]), folders));
}

function choose(): string | undefined {
  const chosen = chooseCheckpoint(folders);
  if (chosen !== undefined || !mayPutStarter) return chosen;
  return putShipped(join('checkpoints', STARTER.checkpoint), folderOptions.models)
    ? STARTER.checkpoint
    : undefined;
}
