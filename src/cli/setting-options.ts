/** The flags that commands share: those of the settings. */
import { Option, type Command } from 'commander';
import { resolveSettings, type SettingsReport } from '../config/resolve-settings.js';
import {
  DEVICES,
  ENGINE_SETTING_NAMES,
  LOG_LEVELS,
  NOISE_SOURCES,
  PRECISIONS,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
} from '../config/settings.js';

const FLAGS: Readonly<Record<SettingName, { readonly argument: string; readonly help: string }>> = {
  models: { argument: 'DIR', help: "models, in ComfyUI's folder layout (default: ./models)" },
  input: { argument: 'DIR', help: 'where workflows find images (default: ./input)' },
  output: { argument: 'DIR', help: 'where results go (default: ./output)' },
  temp: { argument: 'DIR', help: 'where previews go (default: ./temp)' },
  graphs: { argument: 'DIR', help: 'workflow templates (default: ./graphs, else those of the package)' },
  extraModelPaths: {
    argument: 'FILE',
    help: 'extra_model_paths.yaml as ComfyUI has it; may be repeated (default: beside the models folder)',
  },
  device: { argument: 'DEVICE', help: `${DEVICES.join(', ')} (default: auto)` },
  threads: { argument: 'N', help: "threads of an operator (default: the processor's cores)" },
  memoryLimit: { argument: 'SIZE', help: 'weights kept in memory, as 6GB (default: what is free)' },
  precision: {
    argument: 'PRECISION',
    help: `${PRECISIONS.join(' or ')}: arithmetic of denoisers; bf16 needs AVX512-BF16 (default: fp32)`,
  },
  noise: {
    argument: 'SOURCE',
    help: `${NOISE_SOURCES.join(' or ')}: whose noise samplers add, as ComfyUI draws it there (default: cpu)`,
  },
  gpuThreads: {
    argument: 'N',
    help: "threads that this GPU holds, for --noise gpu and large latents (default: an RTX 4090's, 196608)",
  },
  reqAddr: { argument: 'ADDRESS', help: "the daemon's requests (default: tcp://127.0.0.1:5555)" },
  pubAddr: { argument: 'ADDRESS', help: "the daemon's updates (default: tcp://127.0.0.1:5556)" },
  curveKeys: { argument: 'FILE', help: 'keys that encrypt both, as `latentd keys` makes them' },
  data: { argument: 'DIR', help: 'where the queue is kept (default: ./latentd-data)' },
  queueCapacity: { argument: 'N', help: 'jobs that may wait (default: 1000)' },
  jobTimeLimit: { argument: 'TIME', help: 'longest time for a job (default: 1h)' },
  engineTimeout: { argument: 'TIME', help: 'longest silence of the engine in a job (default: 10m)' },
  gracePeriod: { argument: 'TIME', help: 'time to finish the running job when told to stop (default: 30s)' },
  keepFor: { argument: 'TIME', help: 'how long finished jobs can be asked for (default: 30d)' },
  keepJobs: { argument: 'N', help: 'how many finished jobs can be asked for (default: 10000)' },
  logLevel: { argument: 'LEVEL', help: `${LOG_LEVELS.join(', ')} (default: info)` },
};

/** Adds the flags of some settings, those of an engine unless told otherwise, and `--config`. */
export function addSettingOptions(
  command: Command,
  names: readonly SettingName[] = ENGINE_SETTING_NAMES,
): Command {
  for (const name of names) {
    const { argument, help } = FLAGS[name];
    const option = new Option(`${SETTINGS[name].flag} <${argument}>`, help);
    if (SETTINGS[name].kind === 'paths') {
      option.argParser<string[] | undefined>((value, before) => [...(before ?? []), value]);
    }
    command.addOption(option);
  }
  return command.addOption(
    new Option('--config <FILE>', 'settings (default: ./latentd.config.json, if there)'),
  );
}

/** What commander makes of those flags. */
export type SettingOptions = Partial<Record<SettingName, string | readonly string[]>> & {
  readonly config?: string;
};

/** The settings under these flags, this environment and this working folder. Throws `ConfigError`. */
export function settingsFrom(options: SettingOptions): Promise<SettingsReport> {
  const flags = Object.fromEntries(
    SETTING_NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]!]),
  );
  return resolveSettings({ flags, config: options.config, env: process.env, cwd: process.cwd() });
}
