/** A job as the queue and the journal know it. */

export type JobState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

/** What a `generate` asked for, checked and complete: everything that is needed to run it again after a crash. */
export interface JobRequest {
  readonly prompt: string;
  readonly negativePrompt?: string;
  /** A checkpoint's name as listed; empty where a workflow of the client's own names one. */
  readonly model: string;
  readonly lora?: string;
  readonly loraStrength?: number;
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly cfg: number;
  /** Decimal text of an unsigned 64-bit integer; chosen when the job is accepted, so that another attempt draws the same. */
  readonly seed: string;
  readonly samplerName?: string;
  readonly scheduler?: string;
  readonly denoise?: number;
  readonly batchSize: number;
  readonly animationFrames: number;
  readonly tileset?: readonly [columns: number, rows: number];
  /** A template's name, or a whole API-format workflow as JSON text. */
  readonly workflow?: { readonly template: string } | { readonly json: string };
}

export interface JobOutcome {
  readonly state: 'completed' | 'failed' | 'cancelled';
  readonly imagePath?: string;
  readonly error?: string;
  readonly durationSeconds: number;
}

/** What decides how long a job takes. */
export interface JobLoad {
  readonly model: string;
  /** Width times height of one image. */
  readonly pixels: number;
  readonly steps: number;
  readonly images: number;
}

/** Images that a job makes: those of a batch, the frames of an animation, the tiles of a set. */
export function imageCount({ batchSize, animationFrames, tileset }: JobRequest): number {
  if (animationFrames > 1) return animationFrames;
  if (tileset !== undefined) return tileset[0] * tileset[1];
  return batchSize;
}

export function loadOf(request: JobRequest): JobLoad {
  const { model, width, height, steps } = request;
  return { model, pixels: width * height, steps, images: imageCount(request) };
}
