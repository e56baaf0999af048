/** What OpenAI's clients send to /v1/images, and what else may be said of a picture here. */
import { z } from 'zod';
import { samplerNames } from '../../native/samplers.js';
import { schedulerNames } from '../../native/addon.js';
import type { ImageSize } from '../native-size.js';
import { OpenAiFault } from './fault.js';

export type { ImageSize } from '../native-size.js';

const MAX_SIDE = 4096;

/** Steps of a picture. */
const STEPS = { auto: 24, low: 12, medium: 24, high: 40, standard: 24, hd: 40 } as const;

/** A form's fields are texts. */
const number = (min: number, max: number) => z.coerce.number().min(min).max(max);
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

export const imageRequest = z.object({
  prompt: z.string().min(1).max(32_000),
  model: z.string().max(1000).nullish(),
  n: whole(1, 10).nullish(),
  size: z.string().max(20).nullish(),
  quality: z.enum(['auto', 'low', 'medium', 'high', 'standard', 'hd']).nullish(),
  response_format: z.enum(['url', 'b64_json']).nullish(),
  output_format: z.enum(['png', 'jpeg', 'webp']).nullish(),
  output_compression: whole(0, 100).nullish(),
  background: z.enum(['auto', 'opaque', 'transparent']).nullish(),
  moderation: z.string().nullish(),
  style: z.string().nullish(),
  user: z.string().nullish(),
  stream: flag.nullish(),
  partial_images: whole(0, 3).nullish(),
  input_fidelity: z.enum(['high', 'low']).nullish(),
  // Not OpenAI's.
  seed: whole(0, Number.MAX_SAFE_INTEGER).nullish(),
  steps: whole(1, 1000).nullish(),
  cfg_scale: number(0, 100).nullish(),
  negative_prompt: z.string().max(32_000).nullish(),
  sampler: z.enum(samplerNames).nullish(),
  scheduler: z.enum(schedulerNames).nullish(),
  strength: number(0.01, 1).nullish(),
});

export type ImageRequest = z.infer<typeof imageRequest>;

/** A request as its clients meant it. Throws `OpenAiFault` (400) naming the parameter. */
export function parseRequest(body: unknown): ImageRequest {
  const parsed = imageRequest.safeParse(body);
  if (parsed.success) {
    if (parsed.data.background !== 'transparent') return parsed.data;
    throw new OpenAiFault(400, 'background: pictures without a background are not made here', {
      param: 'background',
    });
  }
  const [issue] = parsed.error.issues;
  const param = issue?.path.map(String).join('.') ?? '';
  throw new OpenAiFault(400, `Invalid value for '${param}': ${issue?.message ?? 'not as it should be'}`, {
    param,
    code: 'invalid_value',
  });
}

/** `1024x1536`; undefined for `auto`. Throws `OpenAiFault`. */
export function sizeOf(size: string | null | undefined): ImageSize | undefined {
  if (size === null || size === undefined || size === 'auto') return undefined;
  const [, width, height] = /^(\d{2,4})x(\d{2,4})$/.exec(size) ?? [];
  const sides = [Number(width), Number(height)];
  if (sides.every((side) => side >= 16 && side <= MAX_SIDE && side % 8 === 0)) {
    return { width: sides[0]!, height: sides[1]! };
  }
  throw new OpenAiFault(
    400,
    `Invalid value: '${size}'. size is auto, or WIDTHxHEIGHT in multiples of 8 from 16 to ${MAX_SIDE}, as 1024x1024`,
    { param: 'size', code: 'invalid_value' },
  );
}

export function stepsOf({ steps, quality }: ImageRequest): number {
  return steps ?? STEPS[quality ?? 'auto'];
}
