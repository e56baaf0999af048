/** What a request runs: one workflow an image, from a template or from the client, with the request's values in place. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SERIES_INDEX, type Assembly, type JobTask, type VaryingInput } from '../../engine-process/task.js';
import type { Job, JobLoad } from '../../jobs/job.js';
import { Refusal } from '../../jobs/queue.js';
import { mapInputs } from '../../templates/edit-workflow.js';
import { fillWorkflow, TemplateError } from '../../templates/fill.js';
import { findTemplate } from '../../templates/template-files.js';
import { WorkflowError } from '../../workflow/faults.js';
import { workflowText } from '../../workflow/file-text.js';
import type { Literal } from '../../workflow/literal.js';
import { parseWorkflow, type Workflow } from '../../workflow/parse.js';
import { workflowJson } from '../../workflow/workflow-json.js';
import { workflowLoad } from '../workflow-load.js';

/** What a `generate` asked for, checked; what is left out stays as the workflow has it. Journals of version 1 hold it as it is. */
export interface JobRequest {
  readonly prompt?: string;
  readonly negativePrompt?: string;
  /** A checkpoint's name as listed; empty where a workflow of the client's own names one. */
  readonly model?: string;
  readonly lora?: string;
  readonly loraStrength?: number;
  readonly width?: number;
  readonly height?: number;
  readonly steps?: number;
  readonly cfg?: number;
  /** Decimal text of an unsigned 64-bit integer; chosen when the job is accepted, so that another attempt draws the same. */
  readonly seed?: string;
  readonly samplerName?: string;
  readonly scheduler?: string;
  readonly denoise?: number;
  readonly batchSize: number;
  readonly animationFrames: number;
  readonly tileset?: readonly [columns: number, rows: number];
  /** A template's name, or a whole API-format workflow as JSON text. */
  readonly workflow?: { readonly template: string } | { readonly json: string };
  /** Before all that wait. */
  readonly isFirst?: boolean;
}

/** Rows of at most so many frames; beyond it a sheet is about square. */
const FRAMES_A_ROW = 8;

/** Images that a job makes: those of a batch, the frames of an animation, the tiles of a set. */
export function imageCount({ batchSize, animationFrames, tileset }: JobRequest): number {
  if (animationFrames > 1) return animationFrames;
  if (tileset !== undefined) return tileset[0] * tileset[1];
  return batchSize;
}

/**
 * The job of a request. `own` is the client's own workflow where it has been read already. Throws `Refusal` where its workflow can't
 * be read, or has no place for what is asked.
 */
export function jobOf(id: string, request: JobRequest, graphs: readonly string[], own?: Workflow): Job {
  const assembly = assemblyOf(id, request);
  const { first, ...runs } = runsOf(request, graphs, own);
  // A workflow of the client's own may have no picture to show.
  const isOwn = request.workflow !== undefined && 'json' in request.workflow;
  return {
    id,
    client: { front: 'dgx-pixels' },
    priority: 0,
    ...(request.isFirst === true && { place: 'first' }),
    task: {
      ...runs,
      ...(assembly !== undefined && { assembly }),
      needsPicture: !isOwn || assembly !== undefined,
    },
    load: { ...loadOf(first, request), images: imageCount(request) },
    metadata: {},
  };
}

/** What decides how long an image takes: as asked for, or as the workflow has it. */
function loadOf(workflow: Workflow, { model, width, height, steps }: JobRequest): Omit<JobLoad, 'images'> {
  const own = workflowLoad(workflow);
  const isSized = width !== undefined && height !== undefined;
  return {
    model: model ?? own.model,
    pixels: isSized ? width * height : own.pixels,
    steps: steps ?? own.steps,
  };
}

/** Pixels of the sheet that a job's images are put on; undefined when there is none. */
export function sheetSize(
  request: JobRequest,
): { readonly width: number; readonly height: number } | undefined {
  const columns = columnsOf(request);
  const { width, height } = request;
  if (columns === undefined || width === undefined || height === undefined) return undefined;
  const rows = Math.ceil(imageCount(request) / columns);
  return { width: width * columns, height: height * rows };
}

function assemblyOf(id: string, request: JobRequest): Assembly | undefined {
  const columns = columnsOf(request);
  if (columns === undefined) return undefined;
  const animated = request.animationFrames > 1;
  return { columns, name: `${animated ? 'animation' : 'tileset'}_${fileName(id)}`, animated };
}

/** Of the sheet of an animation or a set of tiles. */
function columnsOf({ animationFrames: frames, tileset }: JobRequest): number | undefined {
  if (frames > 1) return frames <= FRAMES_A_ROW ? frames : Math.ceil(Math.sqrt(frames));
  return tileset?.[0];
}

/** An id as a part of a file's name; ids that only look alike as such are told apart. */
function fileName(id: string): string {
  const plain = id.replaceAll(/[^\w-]/g, '_');
  if (plain === id && id.length <= 100) return id;
  return `${plain.slice(0, 60)}_${createHash('sha256').update(id).digest('hex').slice(0, 12)}`;
}

function runsOf(
  request: JobRequest,
  graphs: readonly string[],
  own: Workflow | undefined,
): Pick<JobTask, 'workflow' | 'series'> & { readonly first: Workflow } {
  try {
    const template = own ?? readTemplate(request, graphs);
    if (isVerbatim(request)) return { workflow: request.workflow.json, first: template };
    const first = workflowAt(template, request, 0);
    const runs =
      imageCount(request) === 1 ? { workflow: workflowJson(first) } : seriesOf(template, request, first);
    return { ...runs, first };
  } catch (error) {
    if (!(error instanceof WorkflowError || error instanceof TemplateError)) throw error;
    throw new Refusal(`Invalid parameter: workflow: ${error.message}`, { cause: error });
  }
}

function readTemplate(request: JobRequest, graphs: readonly string[]): Workflow {
  if (request.workflow !== undefined && 'json' in request.workflow)
    return parseWorkflow(request.workflow.json);
  const name = templateFor(request);
  const file = findTemplate(graphs, name);
  if (file === undefined) throw new Refusal(`there is no template "${name}" in ${graphs.join(' or ')}`);
  return parseWorkflow(workflowText(readFileSync(file)));
}

/** The template of a request, as `protocol.md` assigns them. */
function templateFor(request: JobRequest): string {
  if (request.workflow !== undefined && 'template' in request.workflow) return request.workflow.template;
  if (request.animationFrames > 1) return 'animation';
  if (request.tileset !== undefined) return 'tileset';
  if (request.batchSize > 1) return 'batch';
  return request.lora === undefined ? 'sprite_optimized' : 'pixel_art_lora';
}

/** What differs between the first two images' workflows differs in all of them. */
function seriesOf(
  template: Workflow,
  request: JobRequest,
  first: Workflow,
): Pick<JobTask, 'workflow' | 'series'> {
  const second = workflowAt(template, request, 1);
  const anyOne = workflowAt(template, request, SERIES_INDEX);
  const inputOf = (workflow: Workflow, node: string, input: string) =>
    workflow.nodes.get(node)?.inputs.get(input);
  const varying: VaryingInput[] = [];
  const workflow = mapInputs(first, (value, input, { id: node }): Literal => {
    if (value === inputOf(second, node, input) || typeof value === 'object') return value;
    varying.push({ node, input });
    return typeof value === 'string' ? (inputOf(anyOne, node, input) ?? value) : value;
  });
  return { workflow: workflowJson(workflow), series: { count: imageCount(request), varying } };
}

/** A client's own workflow to which nothing is to be changed: not even a text that looks like a placeholder. */
function isVerbatim(
  request: JobRequest,
): request is JobRequest & { readonly workflow: { readonly json: string } } {
  const { workflow, batchSize, animationFrames, ...values } = request;
  const isOwn = workflow !== undefined && 'json' in workflow;
  return isOwn && batchSize === 1 && animationFrames === 1 && Object.keys(values).length === 0;
}

/**
 * The workflow of one image. The images of a batch and the tiles of a set draw noise from consecutive seeds; the frames of an
 * animation share one, so that only their prompt tells them apart.
 */
function workflowAt(template: Workflow, request: JobRequest, index: number | typeof SERIES_INDEX): Workflow {
  const { width, height, steps, cfg, seed } = request;
  const { prompt, model, negativePrompt, lora, loraStrength, samplerName, scheduler, denoise } = request;
  const offset = request.animationFrames > 1 || typeof index === 'string' ? 0n : BigInt(index);
  return fillWorkflow(template, {
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(steps !== undefined && { steps }),
    ...(cfg !== undefined && { cfg }),
    ...(seed !== undefined && { seed: BigInt.asUintN(64, BigInt(seed) + offset) }),
    batchIndex: index,
    frameIndex: index,
    ...(imageCount(request) > 1 && { batchSize: 1 }),
    ...(prompt !== undefined && prompt !== '' && { prompt }),
    ...(model !== undefined && model !== '' && { model }),
    ...(negativePrompt !== undefined && { negativePrompt }),
    ...(lora !== undefined && { lora }),
    ...(loraStrength !== undefined && { loraStrength }),
    ...(samplerName !== undefined && { samplerName }),
    ...(scheduler !== undefined && { scheduler }),
    ...(denoise !== undefined && { denoise }),
  });
}
