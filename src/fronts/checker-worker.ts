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
import { parseWorkflow } from '../workflow/parse.js';
import { validateWorkflow } from '../workflow/validate.js';
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

export type CheckerRequest = { readonly ticket: number } & (
  | { readonly kind: 'check' | 'examine'; readonly workflow: string }
  | { readonly kind: 'choose' }
  | { readonly kind: 'count'; readonly workflow: string; readonly model: string; readonly pixels: number }
);

export type CheckerReply = { readonly ticket: number } & (
  | { readonly result: FaultReport | CountedWork | Examination | string | undefined }
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
    const nodes = [...parseWorkflow(workflow).nodes.values()];
    // What ComfyUI, and the sampler here, take for a reason to leave the negative prompt out.
    const guided = nodes.every(({ inputs }) => !isOne(inputs.get('cfg')));
    const path = folders.resolve('checkpoints', model);
    const { size, mtimeMs } = statSync(path);
    const key = [path, size, mtimeMs, pixels, guided].join('\n');
    const known = works.get(key);
    if (known !== undefined) return known;
    const work = pictureWork(path, { pixels, guided });
    if (works.size >= MAX_WORKS) works.clear();
    works.set(key, work);
    return work;
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
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

function examine(text: string): Examination {
  try {
    const workflow = parseWorkflow(text);
    const validation = validateWorkflow(workflow, registry, folders);
    const outputs = validation.valid ? validation.plan.outputs : [];
    const { report } = validation;
    return { outputs, load: workflowLoad(workflow), ...(report !== undefined && { report }) };
  } catch (error) {
    if (error instanceof WorkflowError) return { outputs: [], load: NO_LOAD, report: error.report };
    throw error;
  }
}

function choose(): string | undefined {
  const chosen = chooseCheckpoint(folders);
  if (chosen !== undefined || !mayPutStarter) return chosen;
  return putShipped(join('checkpoints', STARTER.checkpoint), folderOptions.models)
    ? STARTER.checkpoint
    : undefined;
}
