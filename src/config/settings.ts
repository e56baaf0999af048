/** What can be set about a run of latentd, whoever sets it: flags, environment or `latentd.config.json`. */

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
}

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

type SettingKind = 'path' | 'paths' | 'device' | 'count' | 'bytes';

interface SettingSpec {
  readonly kind: SettingKind;
  readonly flag: string;
  readonly variable: string;
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
  threads: { kind: 'count', flag: '--threads', variable: 'LATENTD_THREADS' },
  memoryLimit: { kind: 'bytes', flag: '--memory-limit', variable: 'LATENTD_MEMORY_LIMIT' },
};

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];
