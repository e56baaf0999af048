/** Looks for a card, and opens the backend that runs on it. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../make-folder.js';
import type { CudaDevice, TunedAlgorithms } from '../../native/cuda-addon.js';
import { CudaUnavailable, findCudaAddon, hasNvidiaDevice } from '../../native/find-cuda.js';
import type { Backend } from '../backend.js';
import { createCudaBackend } from './backend.js';

export interface OpenedCuda {
  readonly backend: Backend;
  readonly device: CudaDevice;
}

/** One card, the first unless told otherwise. Throws `CudaUnavailable`. Measured algorithms are kept in the user's cache, one file for each kind of card. */
export function openCuda(card = 0): OpenedCuda {
  let device: CudaDevice;
  const addon = findCudaAddon();
  try {
    device = new addon.CudaDevice(card);
  } catch (error) {
    throw new CudaUnavailable(error instanceof Error ? error.message : String(error), hasNvidiaDevice());
  }
  const file = algorithmsFile(device);
  device.setAlgorithms(readAlgorithms(file));
  const onTuned = (algorithms: TunedAlgorithms): void => {
    writeAlgorithms(file, algorithms);
  };
  return { device, backend: createCudaBackend({ addon, device, onTuned }) };
}

/** Measured algorithms hold for a card, its driver and its library; `v1` are these kernels. */
function algorithmsFile({ info }: CudaDevice): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const name = ['v1', info.name, info.capability, info.driver, info.library]
    .join(' ')
    .replace(/[^\w.]+/g, '-');
  return join(cache, 'latentd/cuda', `${name.slice(0, 120)}.json`);
}

function readAlgorithms(file: string): TunedAlgorithms {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TunedAlgorithms;
  } catch {
    // There are none yet, or they are no use: they are measured again.
    return {};
  }
}

function writeAlgorithms(file: string, algorithms: TunedAlgorithms): void {
  try {
    makeFolder(dirname(file));
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, JSON.stringify(algorithms));
    renameSync(unfinished, file);
  } catch {
    // A folder that can't be written costs the next process its first run.
  }
}
