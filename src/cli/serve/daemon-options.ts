/** From settings to what the daemon wants to know. */
import { SHIPPED_GRAPHS } from '../../config/settings.js';
import type { Settings } from '../../config/settings.js';
import type { DaemonConfiguration } from '../../daemon/daemon.js';
import { createFolders } from '../../models/folders.js';
import { cudaProblem } from '../../native/find-cuda.js';
import { folderOptions } from '../open-folders.js';

/** Throws `ConfigError` when an `extra_model_paths.yaml` can't be read. */
export async function daemonConfiguration(settings: Settings): Promise<DaemonConfiguration> {
  const folders = await folderOptions(settings);
  const graphs = [...new Set([settings.graphs, SHIPPED_GRAPHS])];
  const { device, threads, memoryLimit, precision, noise, gpuThreads } = settings;
  return {
    folders: createFolders(folders),
    graphs,
    engine: {
      folders,
      graphs,
      // Without a card, clients are told that the CPU computes.
      device: device === 'webgpu' || (device === 'auto' && cudaProblem() !== undefined) ? 'cpu' : device,
      ...(threads !== undefined && { threads }),
      ...(memoryLimit !== undefined && { memoryLimit }),
      precision,
      noise,
      ...(gpuThreads !== undefined && { gpuThreads }),
    },
    queueCapacity: settings.queueCapacity,
    bounds: { timeLimit: settings.jobTimeLimit, silence: settings.engineTimeout },
    keepSeconds: settings.keepFor,
    keepJobs: settings.keepJobs,
  };
}
