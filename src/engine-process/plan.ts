/** What a job runs: one workflow an image, from a template or from the client, with the request's values in place. */
import { fillWorkflow } from '../templates/fill.js';
import type { Workflow } from '../workflow/parse.js';
import { imageCount, type JobRequest } from './job.js';

/** How the images of a job are put together when all are there. */
export type Assembly =
  | { readonly kind: 'none' }
  | { readonly kind: 'tileset'; readonly columns: number }
  | { readonly kind: 'animation'; readonly columns: number };

/** Rows of at most so many frames; beyond it a sheet is about square. */
const FRAMES_A_ROW = 8;

/** The template of a request, as `protocol.md` assigns them. */
export function templateFor(request: JobRequest): string {
  if (request.workflow !== undefined && 'template' in request.workflow) return request.workflow.template;
  if (request.animationFrames > 1) return 'animation';
  if (request.tileset !== undefined) return 'tileset';
  if (request.batchSize > 1) return 'batch';
  return request.lora === undefined ? 'sprite_optimized' : 'pixel_art_lora';
}

export function assemblyOf({ animationFrames: frames, tileset }: JobRequest): Assembly {
  if (frames > 1) {
    return { kind: 'animation', columns: frames <= FRAMES_A_ROW ? frames : Math.ceil(Math.sqrt(frames)) };
  }
  return tileset === undefined ? { kind: 'none' } : { kind: 'tileset', columns: tileset[0] };
}

/** Pixels of the sheet that a job's images are put on; undefined when there is none. */
export function sheetSize(
  request: JobRequest,
): { readonly width: number; readonly height: number } | undefined {
  const assembly = assemblyOf(request);
  if (assembly.kind === 'none') return undefined;
  const rows = Math.ceil(imageCount(request) / assembly.columns);
  return { width: request.width * assembly.columns, height: request.height * rows };
}

/**
 * The workflow of image `index`. The images of a batch and the tiles of a set draw noise from consecutive seeds; the frames of
 * an animation share one, so that only their prompt tells them apart.
 */
export function workflowOf(template: Workflow, request: JobRequest, index: number): Workflow {
  const base = BigInt(request.seed);
  const { prompt, model, negativePrompt, lora, loraStrength, samplerName, scheduler, denoise } = request;
  return fillWorkflow(template, {
    width: request.width,
    height: request.height,
    steps: request.steps,
    cfg: request.cfg,
    seed: request.animationFrames > 1 ? base : BigInt.asUintN(64, base + BigInt(index)),
    batchIndex: index,
    frameIndex: index,
    ...(imageCount(request) > 1 && { batchSize: 1 }),
    // A workflow of the client's own keeps what the request leaves empty.
    ...(prompt !== '' && { prompt }),
    ...(model !== '' && { model }),
    ...(negativePrompt !== undefined && { negativePrompt }),
    ...(lora !== undefined && { lora }),
    ...(loraStrength !== undefined && { loraStrength }),
    ...(samplerName !== undefined && { samplerName }),
    ...(scheduler !== undefined && { scheduler }),
    ...(denoise !== undefined && { denoise }),
  });
}
