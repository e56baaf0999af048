/** From settings to what the daemon wants to know. */
import { SHIPPED_GRAPHS } from '../../config/settings.js';
import type { Settings } from '../../config/settings.js';
import { openNodePacks } from '../open-node-packs.js';
import { availableParallelism } from 'node:os';
import { devicesOf, type Device } from '../../config/device.js';
import type { EngineSettings } from '../../engine-process/messages.js';
import { createFolders } from '../../models/folders/folders.js';
import { cudaProblem } from '../../native/find-cuda.js';
import { folderOptions } from '../open-folders.js';
import { storeSettings } from '../store-settings.js';
import type { DaemonConfiguration } from './daemon.js';

/**
 * `mayPutStarter` says whether the models folder is latentd's own. Throws `ConfigError` when an
 * `extra_model_paths.yaml` can't be read, or a node pack can't be used.
 */
export async function daemonConfiguration(
  settings: Settings,
  mayPutStarter: boolean,
): Promise<DaemonConfiguration> {
  const folders = await folderOptions(settings);
  // A broken one is told here, before there is a queue.
  await openNodePacks(settings.nodePack);
  const graphs = [...new Set([settings.graphs, SHIPPED_GRAPHS])];
  const { memoryLimit, precision, noise, gpuThreads, nodePack, previewMethod, allowUrls } = settings;
  // Without a card, clients are told that the CPU computes.
  const devices = devicesOf(settings.device).map((device) =>
    device === 'auto' && cudaProblem() !== undefined ? 'cpu' : device,
  );
  const threads = settings.threads ?? fairThreads(devices);
  const engine: Omit<EngineSettings, 'device'> = {
    folders,
    ...(threads !== undefined && { threads }),
    ...(memoryLimit !== undefined && { memoryLimit }),
    precision,
    noise,
    previewMethod,
    allowUrls,
    ...(nodePack.length > 0 && { nodePacks: nodePack }),
    ...(gpuThreads !== undefined && { gpuThreads }),
    store: storeSettings(settings),
  };
  return {
    premises: {
      folders: createFolders(folders),
      graphs,
      devices,
      ...(settings.defaultModel !== undefined && { defaultModel: settings.defaultModel }),
      strictModels: settings.strictModels,
    },
    checker: { folders, nodePacks: nodePack, mayPutStarter },
    jobs: {
      engines: devices.map((device) => ({ ...engine, device })),
      queueCapacity: settings.queueCapacity,
      clients: {
        order: settings.queueOrder,
        ...(settings.clientConcurrency !== undefined && { concurrency: settings.clientConcurrency }),
        ...(settings.clientRate !== undefined && { jobsAMinute: settings.clientRate }),
      },
      bounds: { timeLimit: settings.jobTimeLimit, silence: settings.engineTimeout },
      keepSeconds: settings.keepFor,
      keepJobs: settings.keepJobs,
    },
  };
}

/** Several engines on one processor share its cores: an engine that takes them all only gets in the others' way. */
function fairThreads(devices: readonly Device[]): number | undefined {
  const sharing = devices.filter((device) => device === 'cpu').length;
  return sharing < 2 ? undefined : Math.max(1, Math.floor(availableParallelism() / sharing));
}
