/** What is measured: one text-to-image workflow, at one size and one number of steps. */

export interface BenchCase {
  /** As workflows name it. */
  readonly checkpoint: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Images made at a time. */
  readonly batch: number;
  readonly steps: number;
  readonly sampler: string;
  readonly scheduler: string;
}

/** In the order in which a case is described. */
export const CASE_KEYS = [
  'checkpoint',
  'width',
  'height',
  'batch',
  'steps',
  'sampler',
  'scheduler',
] as const satisfies readonly (keyof BenchCase)[];

/** Two cases can be compared when this is the same. */
export function caseKey(one: BenchCase): string {
  return CASE_KEYS.map((key) => one[key]).join('|');
}

/** `sd15.safetensors 512×512, batch 1, 8 steps of euler (normal)` */
export function describeCase(one: BenchCase): string {
  const { checkpoint, width, height, batch, steps, sampler, scheduler } = one;
  const count = `${steps} ${steps === 1 ? 'step' : 'steps'}`;
  return `${checkpoint} ${width}×${height}, batch ${batch}, ${count} of ${sampler} (${scheduler})`;
}

/** What tells a case apart from others that are measured with it: `512×512 · batch 2`; everything when it is alone. */
export function distinguish(one: BenchCase, all: readonly BenchCase[]): string {
  const differs = (key: keyof BenchCase) => all.some((other) => other[key] !== one[key]);
  const parts: string[] = [];
  if (differs('checkpoint')) parts.push(one.checkpoint);
  if (differs('width') || differs('height')) parts.push(`${one.width}×${one.height}`);
  if (differs('batch')) parts.push(`batch ${one.batch}`);
  if (differs('steps')) parts.push(`${one.steps} steps`);
  if (differs('sampler')) parts.push(one.sampler);
  if (differs('scheduler')) parts.push(one.scheduler);
  return parts.length === 0 ? describeCase(one) : parts.join(' · ');
}

/** With cfg, so that each step evaluates a prompt and a negative prompt. */
const GUIDANCE = 7;
const SEED = 42;

/** The workflow of a case, as ComfyUI's template of text to image has it; node 7 saves. */
export function workflowOf(one: BenchCase): object {
  const node = (class_type: string, inputs: object) => ({ class_type, inputs });
  return {
    1: node('CheckpointLoaderSimple', { ckpt_name: one.checkpoint }),
    2: node('CLIPTextEncode', { clip: ['1', 1], text: 'pixel art of a knight with a round shield' }),
    3: node('CLIPTextEncode', { clip: ['1', 1], text: 'blurry, low quality' }),
    4: node('EmptyLatentImage', { width: one.width, height: one.height, batch_size: one.batch }),
    5: node('KSampler', {
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['3', 0],
      latent_image: ['4', 0],
      seed: SEED,
      steps: one.steps,
      cfg: GUIDANCE,
      denoise: 1,
      sampler_name: one.sampler,
      scheduler: one.scheduler,
    }),
    6: node('VAEDecode', { samples: ['5', 0], vae: ['1', 2] }),
    7: node('SaveImage', { images: ['6', 0], filename_prefix: 'bench' }),
  };
}
