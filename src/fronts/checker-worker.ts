/**
 * The thread that looks at workflows and models for the daemon: it knows the node classes, which the daemon's own thread does
 * without, and a workflow of a megabyte keeps nobody waiting but its client.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { chooseCheckpoint, putShipped } from '../engine/available-checkpoint.js';
import { loadNodePacks } from '../engine/node-packs.js';
import { createFolders, type FolderOptions } from '../models/folders.js';
import { STARTER } from '../models/starter.js';
import { nodeClasses } from '../nodes/index.js';
import { WorkflowError, type FaultReport } from '../workflow/faults.js';
import { parseWorkflow } from '../workflow/parse.js';
import { validateWorkflow } from '../workflow/validate.js';

export interface CheckerSettings {
  readonly folders: FolderOptions;
  readonly nodePacks: readonly string[];
  /** The starter model may be put into the models folder where no checkpoint is there. */
  readonly mayPutStarter: boolean;
}

export type CheckerRequest = { readonly ticket: number } & (
  { readonly kind: 'check'; readonly workflow: string } | { readonly kind: 'choose' }
);

export type CheckerReply = { readonly ticket: number } & (
  { readonly result: FaultReport | string | undefined } | { readonly error: string }
);

if (parentPort === null) throw new Error('checker-worker.js is started by checker.js');
const port = parentPort;
const { folders: folderOptions, nodePacks, mayPutStarter } = workerData as CheckerSettings;
const folders = createFolders(folderOptions);
const packed = await loadNodePacks(nodePacks);
const registry = new Map([...nodeClasses, ...packed.map((node) => [node.name, node] as const)]);

port.on('message', (request: CheckerRequest) => {
  const { ticket } = request;
  try {
    const result = request.kind === 'check' ? check(request.workflow) : choose();
    port.postMessage({ ticket, result } satisfies CheckerReply);
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    port.postMessage({ ticket, error } satisfies CheckerReply);
  }
});

function check(text: string): FaultReport | undefined {
  try {
    const validation = validateWorkflow(parseWorkflow(text), registry, folders);
    return validation.valid ? undefined : validation.report;
  } catch (error) {
    if (error instanceof WorkflowError) return error.report;
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
