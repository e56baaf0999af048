/** The door of the queue: a `generate` is checked here in full, so that an accepted job can only fail while it runs. */
import { randomBytes } from 'node:crypto';
import { extname, parse } from 'node:path';
import { completeName, type Folders } from '../../models/folders/folders.js';
import { schedulerNames } from '../../native/addon.js';
import { samplerNames } from '../../native/samplers.js';
import { nearestHint } from '../../nearest-names.js';
import { findTemplate } from '../../templates/template-files.js';
import { safeLine, shorten } from '../../safe-text.js';
import { describeReport, WorkflowError, type FaultReport } from '../../workflow/faults.js';
import { parseWorkflow, workflowFromObject, type Workflow } from '../../workflow/parse.js';
import { workflowJson } from '../../workflow/workflow-json.js';
import {
  MAX_MESSAGE_BYTES,
  MAX_PROMPT_LENGTH,
  MAX_REQUEST_VALUES,
  type GenerateRequest,
} from './wire/protocol.js';
import { Refusal } from '../../jobs/queue.js';
import type { Premises } from '../front.js';
import { imageCount, sheetSize, type JobRequest } from './plan.js';

/** Bounds of ComfyUI's nodes where it has any; of our own where a request could only be a mistake. */
const BOUNDS = {
  size: { min: 16, max: 16_384 },
  steps: { min: 1, max: 10_000 },
  cfg_scale: { min: 0, max: 100 },
  denoise: { min: 0, max: 1 },
  lora_strength: { min: -100, max: 100 },
  batch_size: { min: 1, max: 4096 },
  animation_frames: { min: 1, max: 1024 },
  tileset_grid: { min: 1, max: 64 },
} as const;

/** Latents are an eighth of the image. */
const SIZE_STEP = 8;
export const MAX_ID_LENGTH = 200;
/** As JSON escapes it: six characters for each of most scripts' letters. */
const MAX_WORKFLOW_LENGTH = 4 * MAX_MESSAGE_BYTES;
/** A sheet is put together in memory, at four bytes a pixel. */
const MAX_SHEET_PIXELS = 2 ** 28;

/** A request that was checked, and what is done otherwise than it asks. */
export interface Admitted {
  readonly request: JobRequest;
  /** The client's own workflow, read; `request` has its text. */
  readonly workflow?: Workflow;
  readonly notice?: string;
}

/**
 * Checks a request and completes it. `defaultModel` is the checkpoint for one that names none that is there. Throws `Refusal` with
 * the text that clients show, and `MissingModel` where a default is asked for.
 */
export function admit(
  given: GenerateRequest,
  { folders, graphs }: Pick<Premises, 'folders' | 'graphs'>,
  defaultModel?: string,
): Admitted {
  const read = readWorkflow(given.workflow, graphs);
  const workflow = read?.given;
  const request = workflow === undefined ? given : withoutEmpties(given);
  checkTexts(request);
  checkNumbers(request);
  checkName('sampler_name', request.sampler_name, samplerNames);
  checkName('scheduler', request.scheduler, schedulerNames);
  const [width, height] = request.size ?? [];
  // A workflow that the client gives keeps the model that it names, and all else that isn't asked for.
  const named = workflow === undefined ? (request.model ?? '') : request.model;
  const found = named == null ? undefined : findCheckpoint(folders, named, defaultModel);
  const job: JobRequest = {
    ...(request.prompt != null && { prompt: request.prompt }),
    ...(found !== undefined && { model: found.name }),
    ...(width !== undefined && height !== undefined && { width, height }),
    ...(request.steps != null && { steps: request.steps }),
    ...(request.cfg_scale != null && { cfg: request.cfg_scale }),
    batchSize: request.batch_size ?? 1,
    animationFrames: request.animation_frames ?? 1,
    ...(request.negative_prompt !== undefined && { negativePrompt: request.negative_prompt }),
    ...(request.lora !== undefined && { lora: findLora(folders, request.lora) }),
    ...(request.lora_strength !== undefined && { loraStrength: request.lora_strength }),
    ...(request.sampler_name !== undefined && { samplerName: request.sampler_name }),
    ...(request.scheduler !== undefined && { scheduler: request.scheduler }),
    ...(request.denoise !== undefined && { denoise: request.denoise }),
    ...(request.tileset_grid !== undefined && { tileset: request.tileset_grid }),
    ...(workflow !== undefined && { workflow }),
    ...(request.front === true && { isFirst: true }),
  };
  checkSheet(job);
  // One picture of a client's own workflow is drawn from the seed that it has.
  const isOwn = workflow !== undefined && 'json' in workflow && imageCount(job) === 1;
  const seed = request.seed ?? (isOwn ? undefined : randomBytes(8).readBigUInt64LE());
  const seeded = seed === undefined ? job : { ...job, seed: String(seed) };
  return {
    request: seeded,
    ...(read?.parsed !== undefined && { workflow: read.parsed }),
    ...(found?.notice !== undefined && { notice: found.notice }),
  };
}

/** With a workflow, these may be left out, which some clients can only say by sending nothing in them. */
function withoutEmpties(request: GenerateRequest): GenerateRequest {
  const { prompt, model, size, steps, cfg_scale: cfg } = request;
  return {
    ...request,
    prompt: prompt === '' ? null : prompt,
    model: model === '' ? null : model,
    size: size?.every((side) => side === 0) === true ? null : size,
    steps: steps === 0 ? null : steps,
    cfg_scale: cfg === 0 ? null : cfg,
  };
}

function checkTexts({ id, prompt, negative_prompt: negative = '' }: GenerateRequest): void {
  if (id === '') throw invalid('id', 'it is empty');
  if (id.length > MAX_ID_LENGTH) throw invalid('id', `at most ${MAX_ID_LENGTH} characters, got ${id.length}`);
  for (const [field, text] of [
    ['prompt', prompt ?? ''],
    ['negative_prompt', negative],
  ] as const) {
    // Clients count characters, JavaScript counts halves of some.
    if (text.length > MAX_PROMPT_LENGTH && Array.from(text).length > MAX_PROMPT_LENGTH) {
      throw invalid(field, `at most ${MAX_PROMPT_LENGTH} characters, got ${Array.from(text).length}`);
    }
  }
}

function checkNumbers(request: GenerateRequest): void {
  const [width, height] = request.size ?? [];
  if (width !== undefined && height !== undefined) {
    checkBounds('size', width);
    checkBounds('size', height);
    if (width % SIZE_STEP !== 0 || height % SIZE_STEP !== 0) {
      throw invalid('size', `width and height must be multiples of ${SIZE_STEP}, got ${width}x${height}`);
    }
  }
  for (const field of [
    'steps',
    'cfg_scale',
    'denoise',
    'lora_strength',
    'batch_size',
    'animation_frames',
  ] as const) {
    checkBounds(field, request[field]);
  }
  for (const side of request.tileset_grid ?? []) checkBounds('tileset_grid', side);
}

function checkSheet(job: JobRequest): void {
  const size = sheetSize(job);
  if (size === undefined || size.width * size.height <= MAX_SHEET_PIXELS) return;
  const field = job.animationFrames > 1 ? 'animation_frames' : 'tileset_grid';
  throw invalid(
    field,
    `${imageCount(job)} images of this size make a sheet of ${size.width}x${size.height}, ` +
      `and a sheet has at most ${MAX_SHEET_PIXELS} pixels`,
  );
}

interface GivenWorkflow {
  readonly given: NonNullable<JobRequest['workflow']>;
  readonly parsed?: Workflow;
}

function readWorkflow(
  given: GenerateRequest['workflow'],
  graphs: readonly string[],
): GivenWorkflow | undefined {
  if (given === undefined) return undefined;
  // No template's name begins so.
  const isJson = typeof given === 'string' && /^\s*\{/.test(given);
  if (typeof given === 'string' && !isJson) {
    if (findTemplate(graphs, given) !== undefined) return { given: { template: given } };
    throw invalid('workflow', `there is no template ${quote(given)} in ${graphs.join(' or ')}`);
  }
  let workflow: Workflow;
  try {
    workflow = isJson ? parseWorkflow(given, { maxValues: MAX_REQUEST_VALUES }) : workflowFromObject(given);
  } catch (error) {
    if (error instanceof WorkflowError) throw new InvalidWorkflow(error.report);
    throw error;
  }
  // What JSON can't say of a workflow that came as a map, or as text with more to it, isn't kept for the engine either.
  const json = workflowJson(workflow);
  // Control characters take one byte of a message and six of JSON; what waits for the disk must stay small.
  if (json.length > MAX_WORKFLOW_LENGTH) {
    throw invalid('workflow', `as JSON it has ${json.length} characters, at most ${MAX_WORKFLOW_LENGTH}`);
  }
  return { given: { json }, parsed: workflow };
}

/** A workflow that can't run, with what ComfyUI's /prompt would answer. */
export class InvalidWorkflow extends Refusal {
  constructor(readonly report: FaultReport) {
    super(`Invalid parameter: workflow: ${describeReport(report)}`);
  }
}

/** A checkpoint that isn't there, and for which the client's name is no path: another may stand in for it. */
export class MissingModel extends Refusal {}

/** The listed name, or the default with a word about it. */
function findCheckpoint(
  folders: Folders,
  name: string,
  defaultModel: string | undefined,
): { readonly name: string; readonly notice?: string } {
  const names = folders.list('checkpoints');
  const found = completeName(names, name) ?? onlyOneAlike(names, name);
  if (found !== undefined) return { name: found };
  if (!isName(name)) throw missing(names, name);
  if (defaultModel === undefined) throw new MissingModel(missing(names, name).message);
  return {
    name: defaultModel,
    notice: `there is no model ${quote(name)}, so ${defaultModel} draws instead`,
  };
}

function findLora(folders: Folders, name: string): string {
  const names = folders.list('loras');
  const found = completeName(names, name) ?? onlyOneAlike(names, name);
  if (found === undefined) throw missing(names, name);
  return found;
}

function missing(names: readonly string[], name: string): Refusal {
  // Names are mostly given without their extension, which would count as far from all of them.
  const alike =
    extname(name) === '' ? names.map((listed) => listed.slice(0, -extname(listed).length)) : names;
  return new Refusal(`Model not found: ${shortened(name)}${nearestHint(name, alike)}`);
}

/** Whether it can be a client's own name of a model; paths are files that were meant and aren't there. */
function isName(name: string): boolean {
  return name === '' || (/^[\w .()+-]+$/.test(name) && !name.includes('..'));
}

/**
 * DGX-Pixels' MCP server and terminal UI ask for "SDXL Base 1.0" until they are told otherwise, and mean
 * sd_xl_base_1.0.safetensors: a name without a folder that is some file's, but for case and what stands between letters.
 */
function onlyOneAlike(names: readonly string[], name: string): string | undefined {
  if (name === '' || !isName(name)) return undefined;
  const wanted = lettersOf(name);
  const alike = names.filter((listed) => lettersOf(parse(listed).name) === wanted);
  return alike.length === 1 ? alike[0] : undefined;
}

function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, '');
}

function checkBounds(field: keyof typeof BOUNDS, value: number | null | undefined): void {
  if (value == null) return;
  const { min, max } = BOUNDS[field];
  // Written so that NaN is out of bounds.
  if (!(value >= min && value <= max)) throw invalid(field, `must be ${min} to ${max}, got ${value}`);
}

function checkName(field: string, value: string | undefined, names: readonly string[]): void {
  if (value === undefined || names.includes(value)) return;
  throw invalid(field, `there is no ${quote(value)}${nearestHint(value, names)}`);
}

function invalid(field: string, reason: string): Refusal {
  return new Refusal(`Invalid parameter: ${field}: ${reason}`);
}

function quote(name: string): string {
  return JSON.stringify(shorten(name, 120));
}

/** What a client sent is shown to it, but not a megabyte of it. */
function shortened(name: string): string {
  return safeLine(name, 120);
}
