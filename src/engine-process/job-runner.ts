/** Runs one job's workflows on an engine and says how far it is. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, EngineResult } from '../engine/engine.js';
import { describeReport } from '../workflow/faults.js';
import type { Workflow } from '../workflow/parse.js';
import { ImageClock } from './image-clock.js';
import { imageCount, type JobRequest } from './job.js';
import { JobStages, type StageOfClass } from './job-stages.js';
import type { JobEnd, JobReport } from './messages.js';
import { assemblyOf, workflowOf } from './plan.js';
import { Previews } from './previews.js';
import { writeGif, writeSheet } from './sheet.js';

export interface JobContext {
  readonly id: string;
  readonly request: JobRequest;
  readonly template: Workflow;
  readonly engine: Engine;
  readonly stageOf: StageOfClass;
  /** The job's own folder, for previews. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
  readonly send: (report: JobReport) => void;
}

/** A run that didn't come to its end; the message is for the client. */
class JobFailure extends Error {
  override readonly name = 'JobFailure';
}

/** Runs a job to its end and returns the last word on it. Never rejects. */
export async function runJob(job: JobContext): Promise<JobEnd> {
  const { id, request, signal, send } = job;
  const previews = new Previews(job.workFolder, (path, step) => {
    send({ kind: 'preview', id, path, step });
  });
  const stages = new JobStages({
    images: imageCount(request),
    steps: request.steps,
    stageOf: job.stageOf,
    report: (report) => {
      send({ kind: 'progress', id, ...report });
    },
  });
  try {
    const images: string[] = [];
    for (let index = 0; index < imageCount(request); index++) {
      const result = await runImage(job, index, stages, previews);
      if (signal.aborted) return { kind: 'cancelled', id };
      images.push(...imagesOf(result));
    }
    return { kind: 'done', id, imagePath: await assemble(job, images) };
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled', id };
    return { kind: 'failed', id, error: error instanceof Error ? error.message : String(error) };
  } finally {
    await previews.settle();
  }
}

async function runImage(
  { id, request, template, engine, stageOf, signal, send }: JobContext,
  index: number,
  stages: JobStages,
  previews: Previews,
): Promise<EngineResult> {
  const workflow = workflowOf(template, request, index);
  const clock = new ImageClock(stageOf);
  stages.beginImage(new Map([...workflow.nodes.values()].map((node) => [node.id, node.classType])));
  const result = await engine.run(workflow, {
    signal,
    forceOutputs: true,
    onEvent: (event) => {
      clock.see(event);
      stages.see(event);
      if (event.type === 'progress') previews.see(event);
      else if (event.type === 'warning') send({ kind: 'warning', id, text: event.text });
      else if (event.type === 'executed') {
        for (const { path } of [...(event.ui?.images ?? []), ...(event.ui?.gifs ?? [])])
          send({ kind: 'saved', id, path });
      }
    },
  });
  if (result.status === 'success') send({ kind: 'times', id, times: clock.times(result.timings, result.ms) });
  return result;
}

/**
 * The images and films of a run that succeeded, of the first node that saved any; previews count where nothing was saved. Throws
 * `JobFailure` with the cause for a run that failed.
 */
function imagesOf(result: EngineResult): readonly string[] {
  switch (result.status) {
    case 'success': {
      const shown = Object.values(result.outputs).map(({ images = [], gifs = [] }) => [...images, ...gifs]);
      const saved = shown.find((images) => images.some(({ type }) => type === 'output'));
      return (saved ?? shown.find((images) => images.length > 0) ?? []).map(({ path }) => path);
    }
    case 'error': {
      const { node_type, node_id, exception_message } = result.error;
      throw new JobFailure(`node ${node_id} (${node_type}): ${exception_message}`);
    }
    case 'invalid':
      throw new JobFailure(describeReport(result.report));
    case 'interrupted':
      throw new JobFailure(`the run was interrupted at node ${result.node}`);
  }
}

/** The path that the client is given: the sheet of an animation or tileset, else the first image. */
async function assemble({ id, request, engine }: JobContext, images: readonly string[]): Promise<string> {
  const [first] = images;
  if (first === undefined) throw new JobFailure('the workflow saved no image and no film');
  const assembly = assemblyOf(request);
  if (assembly.kind === 'none') return first;
  const folder = engine.folders.output;
  await mkdir(folder, { recursive: true });
  const stem = `${assembly.kind}_${fileName(id)}`;
  const sheet = join(folder, `${stem}_sheet.png`);
  await writeSheet(images, assembly.columns, sheet);
  if (assembly.kind === 'animation') await writeGif(images, join(folder, `${stem}.gif`));
  return sheet;
}

/** An id as a part of a file's name; ids that only look alike as such are told apart. */
function fileName(id: string): string {
  const plain = id.replaceAll(/[^\w-]/g, '_');
  if (plain === id && id.length <= 100) return id;
  return `${plain.slice(0, 60)}_${createHash('sha256').update(id).digest('hex').slice(0, 12)}`;
}
