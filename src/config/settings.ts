/** What can be set about a run of latentd, whoever sets it: flags, environment or `latentd.config.json`. */

import type { Precision } from '../native/onnx-types.js';

export const DEVICES = ['auto', 'cpu', 'cuda', 'webgpu'] as const;
export type DeviceName = (typeof DEVICES)[number];

export interface Settings {
  /** Absolute path of ComfyUI's models folder. */
  readonly models: string;
  readonly input: string;
  readonly output: string;
  /** Where previews go. */
  readonly temp: string;
  /** Workflow templates. */
  readonly graphs: string;
  /** `extra_model_paths.yaml` files, in the order in which they count. */
  readonly extraModelPaths: readonly string[];
  readonly device: DeviceName;
  /** Threads inside one operator; ONNX Runtime's own choice when undefined. */
  readonly threads: number | undefined;
  /** Bytes of weights kept loaded; what the machine has free when undefined. */
  readonly memoryLimit: number | undefined;
  /** What denoisers round operands of their products to. */
  readonly precision: Precision;
  /** Whose noise samplers add on their way: ComfyUI's on a CPU, or on an NVIDIA GPU. */
  readonly noise: NoiseSource;
  /** Threads that this GPU holds at once; a GeForce RTX 4090's when undefined. */
  readonly gpuThreads: number | undefined;
  /** ZeroMQ endpoints of the daemon: of requests, and of updates. */
  readonly reqAddr: string;
  readonly pubAddr: string;
  /** CURVE keys as `latentd keys` writes them; plain sockets when undefined. */
  readonly curveKeys: string | undefined;
  /** Where the daemon keeps its queue. */
  readonly data: string;
  readonly queueCapacity: number;
  /** Seconds that an attempt at a job may take. */
  readonly jobTimeLimit: number;
  /** Seconds that the engine may be silent while it runs a job. */
  readonly engineTimeout: number;
  /** Seconds that the running job has to finish when the daemon is told to stop. */
  readonly gracePeriod: number;
  /** Finished jobs are forgotten after so many seconds, and beyond so many. */
  readonly keepFor: number;
  readonly keepJobs: number;
  readonly logLevel: LogLevel;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const PRECISIONS = ['fp32', 'bf16'] as const satisfies readonly Precision[];

export const NOISE_SOURCES = ['cpu', 'gpu'] as const;
export type NoiseSource = (typeof NOISE_SOURCES)[number];

export type SettingName = keyof Settings;

/** Which of the places won, in the order in which they are asked. */
export type SettingSource = 'flag' | 'environment' | 'file' | 'default';

export interface Resolved<Value> {
  readonly value: Value;
  readonly source: SettingSource;
  /** The flag, variable or file that gave it. */
  readonly from: string;
}

export type ResolvedSettings = { readonly [Name in SettingName]: Resolved<Settings[Name]> };

/** A setting that can't be what it was set to; the message names the place, the value and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type SettingKind =
  | 'path'
  | 'paths'
  | 'device'
  | 'precision'
  | 'noise'
  | 'count'
  | 'bytes'
  | 'endpoint'
  | 'duration'
  | 'logLevel';

interface SettingSpec {
  readonly kind: SettingKind;
  readonly flag: string;
  readonly variable: string;
  /** Of a count: the lowest (1 when left out) and the highest. */
  readonly min?: number;
  readonly max?: number;
}

/** Every setting's names. The key is its name in `latentd.config.json`. */
export const SETTINGS: Readonly<Record<SettingName, SettingSpec>> = {
  models: { kind: 'path', flag: '--models', variable: 'LATENTD_MODELS' },
  input: { kind: 'path', flag: '--input', variable: 'LATENTD_INPUT' },
  output: { kind: 'path', flag: '--output', variable: 'LATENTD_OUTPUT' },
  temp: { kind: 'path', flag: '--temp', variable: 'LATENTD_TEMP' },
  graphs: { kind: 'path', flag: '--graphs', variable: 'LATENTD_GRAPHS' },
  extraModelPaths: { kind: 'paths', flag: '--extra-model-paths', variable: 'LATENTD_EXTRA_MODEL_PATHS' },
  device: { kind: 'device', flag: '--device', variable: 'LATENTD_DEVICE' },
  threads: { kind: 'count', flag: '--threads', variable: 'LATENTD_THREADS', max: 1024 },
  memoryLimit: { kind: 'bytes', flag: '--memory-limit', variable: 'LATENTD_MEMORY_LIMIT' },
  precision: { kind: 'precision', flag: '--precision', variable: 'LATENTD_PRECISION' },
  noise: { kind: 'noise', flag: '--noise', variable: 'LATENTD_NOISE' },
  gpuThreads: {
    kind: 'count',
    flag: '--gpu-threads',
    variable: 'LATENTD_GPU_THREADS',
    min: 256,
    max: 2 ** 24,
  },
  reqAddr: { kind: 'endpoint', flag: '--req-addr', variable: 'LATENTD_REQ_ADDR' },
  pubAddr: { kind: 'endpoint', flag: '--pub-addr', variable: 'LATENTD_PUB_ADDR' },
  curveKeys: { kind: 'path', flag: '--curve-keys', variable: 'LATENTD_CURVE_KEYS' },
  data: { kind: 'path', flag: '--data', variable: 'LATENTD_DATA' },
  queueCapacity: {
    kind: 'count',
    flag: '--queue-capacity',
    variable: 'LATENTD_QUEUE_CAPACITY',
    max: 1_000_000,
  },
  jobTimeLimit: { kind: 'duration', flag: '--job-time-limit', variable: 'LATENTD_JOB_TIME_LIMIT' },
  engineTimeout: { kind: 'duration', flag: '--engine-timeout', variable: 'LATENTD_ENGINE_TIMEOUT' },
  gracePeriod: { kind: 'duration', flag: '--grace-period', variable: 'LATENTD_GRACE_PERIOD' },
  keepFor: { kind: 'duration', flag: '--keep-for', variable: 'LATENTD_KEEP_FOR' },
  keepJobs: { kind: 'count', flag: '--keep-jobs', variable: 'LATENTD_KEEP_JOBS', max: 10_000_000 },
  logLevel: { kind: 'logLevel', flag: '--log-level', variable: 'LATENTD_LOG_LEVEL' },
};

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** What matters to whatever runs workflows. */
export const ENGINE_SETTING_NAMES: readonly SettingName[] = [
  'models',
  'input',
  'output',
  'temp',
  'graphs',
  'extraModelPaths',
  'device',
  'threads',
  'memoryLimit',
  'precision',
  'noise',
  'gpuThreads',
];

/** What a client needs to reach a daemon. */
export const CLIENT_SETTING_NAMES: readonly SettingName[] = ['reqAddr', 'pubAddr', 'curveKeys'];
