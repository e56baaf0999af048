/** The door of the queue: a `generate` is checked here in full, so that an accepted job can only fail while it runs. */
import { randomBytes } from 'node:crypto';
import { extname, parse } from 'node:path';
import { stringify } from 'lossless-json';
import { completeName, type Folders } from '../../models/folders.js';
import type { ModelKind } from '../../models/model-folders.js';
import { schedulerNames } from '../../native/addon.js';
import { samplerNames } from '../../native/samplers.js';
import { nearestHint } from '../../nearest-names.js';
import { findTemplate } from '../../templates/template-files.js';
import { WorkflowError } from '../../workflow/faults.js';
import { workflowFromObject } from '../../workflow/parse.js';
import { MAX_MESSAGE_BYTES, MAX_PROMPT_LENGTH, type GenerateRequest } from './wire/protocol.js';
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
const MAX_ID_LENGTH = 200;
/** A sheet is put together in memory, at four bytes a pixel. */
const MAX_SHEET_PIXELS = 2 ** 28;

/** Checks a request and completes it. Throws `Refusal` with the text that clients show. */
export function admit(request: GenerateRequest, { folders, graphs }: Premises): JobRequest {
  checkTexts(request);
  checkNumbers(request);
  checkName('sampler_name', request.sampler_name, samplerNames);
  checkName('scheduler', request.scheduler, schedulerNames);
  const workflow = readWorkflow(request.workflow, graphs);
  const [width, height] = request.size;
  const job: JobRequest = {
    prompt: request.prompt,
    // A workflow that the client names may keep the model that it names.
    model:
      workflow !== undefined && request.model === '' ? '' : findModel(folders, 'checkpoints', request.model),
    width,
    height,
    steps: request.steps,
    cfg: request.cfg_scale,
    seed: String(request.seed ?? randomBytes(8).readBigUInt64LE()),
    batchSize: request.batch_size ?? 1,
    animationFrames: request.animation_frames ?? 1,
    ...(request.negative_prompt !== undefined && { negativePrompt: request.negative_prompt }),
    ...(request.lora !== undefined && { lora: findModel(folders, 'loras', request.lora) }),
    ...(request.lora_strength !== undefined && { loraStrength: request.lora_strength }),
    ...(request.sampler_name !== undefined && { samplerName: request.sampler_name }),
    ...(request.scheduler !== undefined && { scheduler: request.scheduler }),
    ...(request.denoise !== undefined && { denoise: request.denoise }),
    ...(request.tileset_grid !== undefined && { tileset: request.tileset_grid }),
    ...(workflow !== undefined && { workflow }),
  };
  checkSheet(job);
  return job;
}

function checkTexts({ id, prompt, negative_prompt: negative = '' }: GenerateRequest): void {
  if (id === '') throw invalid('id', 'it is empty');
  if (id.length > MAX_ID_LENGTH) throw invalid('id', `at most ${MAX_ID_LENGTH} characters, got ${id.length}`);
  for (const [field, text] of [
    ['prompt', prompt],
    ['negative_prompt', negative],
  ] as const) {
    // Clients count characters, JavaScript counts halves of some.
    if (text.length > MAX_PROMPT_LENGTH && Array.from(text).length > MAX_PROMPT_LENGTH) {
      throw invalid(field, `at most ${MAX_PROMPT_LENGTH} characters, got ${Array.from(text).length}`);
    }
  }
}

function checkNumbers(request: GenerateRequest): void {
  const [width, height] = request.size;
  checkBounds('size', width);
  checkBounds('size', height);
  if (width % SIZE_STEP !== 0 || height % SIZE_STEP !== 0) {
    throw invalid('size', `width and height must be multiples of ${SIZE_STEP}, got ${width}x${height}`);
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
    `${imageCount(job)} images of ${job.width}x${job.height} make a sheet of ${size.width}x${size.height}, ` +
      `and a sheet has at most ${MAX_SHEET_PIXELS} pixels`,
  );
}

function readWorkflow(given: GenerateRequest['workflow'], graphs: readonly string[]): JobRequest['workflow'] {
  if (given === undefined) return undefined;
  if (typeof given === 'string') {
    if (findTemplate(graphs, given) !== undefined) return { template: given };
    throw invalid('workflow', `there is no template ${quote(given)} in ${graphs.join(' or ')}`);
  }
  try {
    workflowFromObject(given);
  } catch (error) {
    if (error instanceof WorkflowError) throw invalid('workflow', error.message);
    throw error;
  }
  const json = stringify(given) ?? '{}';
  // Control characters take one byte of a message and six of JSON; what waits for the disk must stay small.
  if (json.length > MAX_MESSAGE_BYTES) {
    throw invalid('workflow', `as JSON it has ${json.length} characters, at most ${MAX_MESSAGE_BYTES}`);
  }
  return { json };
}

function findModel(folders: Folders, kind: ModelKind, name: string): string {
  const names = folders.list(kind);
  const found = completeName(names, name) ?? onlyOneAlike(names, name);
  if (found === undefined) {
    // Names are mostly given without their extension, which would count as far from all of them.
    const alike =
      extname(name) === '' ? names.map((listed) => listed.slice(0, -extname(listed).length)) : names;
    throw new Refusal(`Model not found: ${shorten(name)}${nearestHint(shorten(name), alike)}`);
  }
  return found;
}

/**
 * DGX-Pixels' MCP server and terminal UI ask for "SDXL Base 1.0" until they are told otherwise, and mean
 * sd_xl_base_1.0.safetensors: a name without a folder that is some file's, but for case and what stands between letters.
 */
function onlyOneAlike(names: readonly string[], name: string): string | undefined {
  if (!/^[\w .()+-]+$/.test(name) || name.includes('..')) return undefined;
  const wanted = lettersOf(name);
  const alike = names.filter((listed) => lettersOf(parse(listed).name) === wanted);
  return alike.length === 1 ? alike[0] : undefined;
}

function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, '');
}

function checkBounds(field: keyof typeof BOUNDS, value: number | undefined): void {
  if (value === undefined) return;
  const { min, max } = BOUNDS[field];
  // Written so that NaN is out of bounds.
  if (!(value >= min && value <= max)) throw invalid(field, `must be ${min} to ${max}, got ${value}`);
}

function checkName(field: string, value: string | undefined, names: readonly string[]): void {
  if (value === undefined || names.includes(value)) return;
  throw invalid(field, `there is no ${quote(value)}${nearestHint(shorten(value), names)}`);
}

function invalid(field: string, reason: string): Refusal {
  return new Refusal(`Invalid parameter: ${field}: ${reason}`);
}

function quote(name: string): string {
  return JSON.stringify(shorten(name));
}

/** What a client sent is shown to it, but not a megabyte of it. */
function shorten(name: string): string {
  return name.length <= 120 ? name : `${name.slice(0, 120)}…`;
}
