/** Runs one job's workflows on an engine and tells all that happens. */
import type { Engine, EngineResult } from '../engine/engine.js';
import type { SavedFile } from '../nodes/definition.js';
import { withFileNotes, type FileNotes } from '../nodes/files/file-notes.js';
import type { NodeError, RunEvent, RunResult } from '../workflow/events.js';
import { describeReport } from '../workflow/faults.js';
import type { Workflow } from '../workflow/parse.js';
import { shorten } from '../safe-text.js';
import type { ArtifactStore } from '../store/artifact.js';
import { storeOutputs } from '../store/store-outputs.js';
import { assemble } from './assembly.js';
import type { JobEnd, JobEvent, NodeOutput } from './messages.js';
import type { NodeWork } from './node-work.js';
import type { PreviewPainter } from './preview.js';
import { Previews } from './previews.js';
import { workflowsOf, type JobTask } from './task.js';

/** Characters of a job's error, on its way to journal, log and clients. */
const MAX_ERROR = 8000;

export interface JobContext {
  readonly id: string;
  readonly task: JobTask;
  readonly engine: Engine;
  readonly workOf: (classType: string) => NodeWork | undefined;
  /** The job's own folder, for previews. */
  readonly workFolder: string;
  /** Makes previews; without it there are none. */
  readonly paintPreview?: PreviewPainter | undefined;
  /** Where outputs are kept beside the output folder. */
  readonly store?: ArtifactStore | undefined;
  readonly signal: AbortSignal;
  readonly tell: (event: JobEvent) => void;
  /** Hears of every file before it is there. */
  readonly noteFile: FileNotes;
}

/** A run that didn't come to its end; the message is for whoever asked for the job. */
class JobFailure extends Error {
  override readonly name = 'JobFailure';

  constructor(
    message: string,
    readonly failure?: NodeError,
  ) {
    super(message);
  }
}

/** Runs a job to its end and returns the last word on it. Never rejects. */
export function runJob(job: JobContext): Promise<JobEnd> {
  return withFileNotes(job.noteFile, () => runWorkflows(job));
}

async function runWorkflows(job: JobContext): Promise<JobEnd> {
  const { id, task, signal } = job;
  const outputs: NodeOutput[] = [];
  try {
    let index = 0;
    for (const workflow of workflowsOf(task)) {
      const result = await runWorkflow(job, workflow, index);
      if (result.status !== 'invalid') outputs.push(...outputsOf(result, index));
      if (signal.aborted) return { kind: 'cancelled', id, outputs };
      requireSuccess(result);
      index++;
    }
    await finish(job, outputs);
    return { kind: 'done', id, outputs: await stored(job, outputs) };
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled', id, outputs };
    const message = shorten(error instanceof Error ? error.message : String(error), MAX_ERROR);
    const failure = error instanceof JobFailure ? error.failure : undefined;
    return { kind: 'failed', id, outputs, error: message, ...(failure !== undefined && { failure }) };
  }
}

/** Runs one of the job's workflows, and waits until its last preview is written. */
async function runWorkflow(
  { task, engine, workFolder, paintPreview, workOf, signal, tell }: JobContext,
  workflow: Workflow,
  index: number,
): Promise<EngineResult> {
  const about = () => ({ workflow: index, at: performance.timeOrigin + performance.now() });
  const previews = new Previews(workFolder, index, paintPreview, (preview) => {
    tell({ ...about(), type: 'preview', ...preview });
  });
  const nodes = [...workflow.nodes.values()].map(({ id, classType }) => ({
    node: id,
    class_type: classType,
    ...withWork(workOf(classType)),
  }));
  tell({ ...about(), type: 'workflow_start', nodes });
  try {
    return await engine.run(workflow, {
      signal,
      forceOutputs: task.reusesOutputs !== true,
      onEvent: (event) => {
        if (event.type === 'progress') previews.see(event);
        tell({ ...about(), ...sendable(event, workOf) });
      },
    });
  } finally {
    await previews.settle();
  }
}

/** What is no plain data stays here. */
function sendable(event: RunEvent, workOf: JobContext['workOf']) {
  if (event.type === 'progress') {
    const { type, node, class_type, step, total_steps } = event;
    return { type, node, class_type, step, total_steps, ...withWork(workOf(class_type)) };
  }
  return 'class_type' in event ? { ...event, ...withWork(workOf(event.class_type)) } : event;
}

function withWork(work: NodeWork | undefined): { readonly work?: NodeWork } {
  return work === undefined ? {} : { work };
}

function outputsOf({ outputs }: RunResult, workflow: number): NodeOutput[] {
  return Object.entries(outputs).map(([node, ui]) => ({ workflow, node, ui }));
}

function requireSuccess(result: EngineResult): void {
  switch (result.status) {
    case 'success':
      return;
    case 'error': {
      const { node_type, node_id, exception_message } = result.error;
      throw new JobFailure(`node ${node_id} (${node_type}): ${exception_message}`, result.error);
    }
    case 'invalid':
      throw new JobFailure(describeReport(result.report));
    case 'interrupted':
      throw new JobFailure(`the run was interrupted at node ${result.node}`);
  }
}

async function finish({ task, engine }: JobContext, outputs: NodeOutput[]): Promise<void> {
  const pictures = picturesOf(outputs);
  if (pictures.length === 0 && (task.needsPicture === true || task.assembly !== undefined)) {
    throw new JobFailure('the workflow saved no image and no film');
  }
  if (task.assembly === undefined) return;
  outputs.push({ ui: { images: await assemble(pictures, task.assembly, engine.folders.output) } });
}

/** Stores what was saved: a job is done when its outputs are where they can be had. */
async function stored({ store, signal, tell }: JobContext, outputs: readonly NodeOutput[]) {
  if (store === undefined) return outputs;
  const kept: NodeOutput[] = [];
  for (const output of outputs) {
    const { workflow = 0, node = '' } = output;
    const notice = (text: string) => {
      const at = performance.timeOrigin + performance.now();
      tell({ workflow, at, type: 'warning', text, node, class_type: '' });
    };
    kept.push({ ...output, ui: await storeOutputs(output.ui, store, signal, notice) });
  }
  return kept;
}

/** Paths of the images and films of each workflow: of the first node that saved any; previews count where nothing was saved. */
function picturesOf(outputs: readonly NodeOutput[]): readonly string[] {
  const workflows = new Map<number, (readonly SavedFile[])[]>();
  for (const { workflow = 0, ui } of outputs) {
    const shown = workflows.get(workflow) ?? [];
    shown.push([...(ui.images ?? []), ...(ui.gifs ?? [])]);
    workflows.set(workflow, shown);
  }
  return [...workflows.values()].flatMap((shown) => {
    const saved = shown.find((files) => files.some(({ type }) => type === 'output'));
    return (saved ?? shown.find((files) => files.length > 0) ?? []).map(({ path }) => path);
  });
}
