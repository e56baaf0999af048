/** From settings to what the daemon wants to know. */
import { SHIPPED_GRAPHS } from '../../config/settings.js';
import type { Settings } from '../../config/settings.js';
import { openNodePacks } from '../open-node-packs.js';
import type { EngineSettings } from '../../engine-process/messages.js';
import { createFolders } from '../../models/folders/folders.js';
import { cudaProblem } from '../../native/find-cuda.js';
import { folderOptions } from '../open-folders.js';
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
  const { device, threads, memoryLimit, precision, noise, gpuThreads, nodePack, previewMethod } = settings;
  // Without a card, clients are told that the CPU computes.
  const used = device === 'webgpu' || (device === 'auto' && cudaProblem() !== undefined) ? 'cpu' : device;
  const engine: EngineSettings = {
    folders,
    device: used,
    ...(threads !== undefined && { threads }),
    ...(memoryLimit !== undefined && { memoryLimit }),
    precision,
    noise,
    previewMethod,
    ...(nodePack.length > 0 && { nodePacks: nodePack }),
    ...(gpuThreads !== undefined && { gpuThreads }),
  };
  return {
    premises: {
      folders: createFolders(folders),
      graphs,
      device: used,
      ...(settings.defaultModel !== undefined && { defaultModel: settings.defaultModel }),
      strictModels: settings.strictModels,
    },
    checker: { folders, nodePacks: nodePack, mayPutStarter },
    jobs: {
      engines: [engine],
      queueCapacity: settings.queueCapacity,
      bounds: { timeLimit: settings.jobTimeLimit, silence: settings.engineTimeout },
      keepSeconds: settings.keepFor,
      keepJobs: settings.keepJobs,
    },
  };
}
