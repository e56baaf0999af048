/**
 * Protocol 1.0.0 of DGX-Pixels, as its Rust terminal UI, Python clients and MCP server speak it: MessagePack maps with string
 * keys, one map a single-frame ZeroMQ message, `type` in snake_case. Fields beyond those are ignored by old clients.
 */
import { z } from 'zod';
import type { SavedFile } from '../../../nodes/definition.js';
import type { FaultReport } from '../../../workflow/faults.js';

export const PROTOCOL_VERSION = '1.0.0';

/** Longest prompt in characters, and longest message in bytes. */
export const MAX_PROMPT_LENGTH = 10_000;
export const MAX_MESSAGE_BYTES = 1_000_000;

/** Most values in a request, those inside of others included: a workflow of a thousand nodes has about half as many. */
export const MAX_REQUEST_VALUES = 50_000;

export const STAGES = [
  'initializing',
  'loading_models',
  'encoding',
  'sampling',
  'decoding',
  'post_processing',
] as const;
export type Stage = (typeof STAGES)[number];

/** A MessagePack integer that JavaScript's numbers hold exactly. */
const uint = z
  .union([z.number(), z.bigint()], { error: 'expected an integer' })
  .transform(Number)
  .refine((value) => Number.isSafeInteger(value) && value >= 0, {
    error: 'expected an integer of at least 0',
  });

/** An unsigned 64-bit integer, kept exact: seeds use all of it. */
const uint64 = z
  .union([z.int(), z.bigint()], { error: 'expected an integer' })
  .transform(BigInt)
  .refine((value) => value >= 0n && value < 1n << 64n, { error: 'expected an integer from 0 to 2^64 - 1' });

/** NaN and infinities are numbers here; bounds are for admission to check. */
const float = z
  .custom<number | bigint>((value) => typeof value === 'number' || typeof value === 'bigint', {
    error: 'expected a number',
  })
  .transform(Number);

const text = z.string({ error: 'expected text' });

const uintPair = z.tuple([uint, uint], { error: 'expected a list of two integers' });

/** An absent field, nil, and what clients send who can't leave a field out: "", [] and for lists of numbers zeros. */
function optional<Schema extends z.ZodType>(schema: Schema) {
  return z
    .preprocess((value) => (isEmpty(value) ? undefined : value), schema.nullish())
    .transform((value): z.output<Schema> | undefined => value ?? undefined);
}

/** The same where 0 is no value either. */
function optionalCount<Schema extends z.ZodType>(schema: Schema) {
  return z
    .preprocess((value) => (isEmpty(value) || isZero(value) ? undefined : value), schema.nullish())
    .transform((value): z.output<Schema> | undefined => value ?? undefined);
}

function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.every(isZero));
}

function isZero(value: unknown): boolean {
  return value === 0 || value === 0n;
}

/** A workflow as MessagePack's own maps. Bytes, dates and extensions are objects as well, with an entry a byte. */
function isPlainMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Fields of a `generate` that only one with a workflow may leave out. */
const NEEDED = {
  prompt: text.nullish(),
  model: text.nullish(),
  size: uintPair.nullish(),
  steps: uint.nullish(),
  cfg_scale: float.nullish(),
};

const generateFields = z.object({
  type: z.literal('generate'),
  id: text,
  ...NEEDED,
  lora: optional(text),
  batch_size: optionalCount(uint),
  animation_frames: optionalCount(uint),
  tileset_grid: optional(uintPair),
  // latentd's own; old clients send none of them.
  negative_prompt: optional(text),
  seed: optional(uint64),
  front: z.boolean({ error: 'expected true or false' }).nullish(),
  sampler_name: optional(text),
  scheduler: optional(text),
  denoise: optional(float),
  lora_strength: optional(float),
  workflow: optional(
    z.custom<string | Readonly<Record<string, unknown>>>(
      (value) => typeof value === 'string' || isPlainMap(value),
      { error: "expected a template's name, or a workflow in API format as a map or as JSON text" },
    ),
  ),
});

const generate = generateFields.superRefine((request, context) => {
  if (request.workflow !== undefined) return;
  for (const field of Object.keys(NEEDED) as (keyof typeof NEEDED)[]) {
    if (request[field] == null) context.addIssue({ code: 'custom', path: [field], message: 'it is missing' });
  }
});

export const requestSchema = z.discriminatedUnion('type', [
  generate,
  z.object({ type: z.literal('cancel'), job_id: text }),
  z.object({ type: z.literal('list_models') }),
  z.object({
    type: z.literal('list_jobs'),
    id_prefix: optional(text),
    which: optional(z.enum(['unfinished', 'over', 'all'], { error: 'expected unfinished, over or all' })),
    limit: optionalCount(uint),
  }),
  z.object({ type: z.literal('status'), job_id: optional(text) }),
  z.object({ type: z.literal('ping') }),
]);

export type Request = z.output<typeof requestSchema>;
export type GenerateRequest = z.output<typeof generate>;

export interface ModelEntry {
  readonly name: string;
  readonly path: string;
  readonly model_type: 'checkpoint' | 'lora' | 'vae';
  readonly size_mb: number;
}

/** A file that a node of a job saved or showed. */
export interface OutputFile {
  /** Its id in the workflow; absent for what was put together of all pictures. */
  readonly node?: string;
  /** Of a job of several workflows, which, from 0. */
  readonly image?: number;
  /** Absolute. */
  readonly file: string;
  readonly type: SavedFile['type'];
}

/** A job's outcome, for a client that asks `status` with its `job_id`. */
export interface JobInfo {
  readonly job_id: string;
  readonly state: 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';
  readonly attempts: number;
  readonly image_path?: string;
  readonly outputs?: readonly OutputFile[];
  readonly error?: string;
  readonly duration_s?: number;
}

/** A job in a list. Times are Unix seconds. */
export interface JobEntry extends Pick<JobInfo, 'job_id' | 'state' | 'attempts' | 'duration_s'> {
  /** The front that took it. */
  readonly front: string;
  readonly accepted_at: number;
  readonly started_at?: number;
  readonly finished_at?: number;
  /** Its first line. */
  readonly error?: string;
}

/** What the daemon knows of its engine process. */
export interface EngineInfo {
  /** `set aside`: its device keeps failing, and gets no jobs for a while. */
  readonly state: 'starting' | 'ready' | 'down' | 'set aside';
  readonly device?: string;
  readonly restarts: number;
  readonly pid?: number;
  /** Why it is down, or set aside. */
  readonly error?: string;
}

/** The device that samples, and the memory beside it. */
export interface DeviceInfo {
  readonly kind: string;
  readonly name: string;
  readonly cores: number;
  readonly memory_total_mb: number;
  readonly memory_available_mb: number;
}

export interface StatusInfo {
  readonly type: 'status_info';
  readonly version: typeof PROTOCOL_VERSION;
  readonly queue_size: number;
  readonly active_jobs: number;
  readonly uptime_s: number;
  // Beyond protocol 1.0.0: what the daemon knows of itself.
  /** The jobs at the head of the queue; `queue_size` counts all. */
  readonly queue: readonly {
    readonly job_id: string;
    readonly position: number;
    readonly estimated_time_s: number;
  }[];
  readonly queue_capacity: number;
  readonly running: readonly { readonly job_id: string; readonly percent: number; readonly eta_s: number }[];
  /** Seconds that stages took on average; for sampling, a step. */
  readonly stages: Readonly<Record<string, { readonly count: number; readonly mean_s: number }>>;
  readonly memory: { readonly daemon_mb: number; readonly engine_mb: number };
  readonly engine: EngineInfo;
  /** Where there are several, all of them. */
  readonly engines?: readonly EngineInfo[];
  readonly device: DeviceInfo;
  readonly job?: JobInfo;
}

export type Reply =
  | {
      readonly type: 'job_accepted';
      readonly job_id: string;
      readonly estimated_time_s: number;
      /** What is done otherwise than it was asked for. */
      readonly notice?: string;
    }
  | {
      readonly type: 'job_error';
      readonly job_id: string;
      readonly error: string;
      /** Of a workflow that can't run: the body that ComfyUI's /prompt answers with. */
      readonly workflow_error?: FaultReport;
    }
  | { readonly type: 'job_cancelled'; readonly job_id: string }
  | { readonly type: 'model_list'; readonly models: readonly ModelEntry[] }
  | { readonly type: 'job_list'; readonly jobs: readonly JobEntry[]; readonly has_more: boolean }
  | StatusInfo
  | { readonly type: 'pong' }
  | { readonly type: 'error'; readonly message: string };

export type Update =
  | { readonly type: 'job_started'; readonly job_id: string; readonly timestamp: number }
  | {
      readonly type: 'progress';
      readonly job_id: string;
      readonly stage: Stage;
      readonly step: number;
      readonly total_steps: number;
      readonly percent: number;
      readonly eta_s: number;
    }
  | { readonly type: 'preview'; readonly job_id: string; readonly image_path: string; readonly step: number }
  | {
      readonly type: 'job_finished';
      readonly job_id: string;
      readonly success: boolean;
      readonly duration_s: number;
    }
  | {
      readonly type: 'job_complete';
      readonly job_id: string;
      readonly image_path: string;
      readonly duration_s: number;
      readonly outputs: readonly OutputFile[];
    }
  | { readonly type: 'job_error'; readonly job_id: string; readonly error: string };
