/** Looks for a card, and opens the backend that runs on it. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadCudaAddon, type CudaAddon, type CudaDevice, type CudaPicks } from '../../native/cuda-addon.js';
import type { Backend } from '../backend.js';
import { createCudaBackend } from './backend.js';

/** No card can be used. The message says why. */
export class CudaUnavailable extends Error {
  override readonly name = 'CudaUnavailable';
  constructor(
    message: string,
    /** Whether there seems to be a card, which latentd could use if something were otherwise. */
    readonly promising: boolean,
  ) {
    super(message);
  }
}

export interface OpenedCuda {
  readonly backend: Backend;
  readonly device: CudaDevice;
}

/** The first card. Throws `CudaUnavailable`. Measured picks are kept in the user's cache, one file for each kind of card. */
export function openCuda(): OpenedCuda {
  let device: CudaDevice;
  const addon = findAddon();
  try {
    device = new addon.CudaDevice(0);
  } catch (error) {
    throw new CudaUnavailable(messageOf(error), hasCard());
  }
  const file = picksFile(device);
  device.setPicks(readPicks(file));
  const onPicks = (picks: CudaPicks): void => {
    writePicks(file, picks);
  };
  return { device, backend: createCudaBackend({ addon, device, onPicks }) };
}

/** Why no card can be used, as far as can be told without opening one; undefined when there is one. */
export function cudaProblem(): string | undefined {
  try {
    return findAddon().countDevices() > 0 ? undefined : 'this machine has no NVIDIA card';
  } catch (error) {
    return messageOf(error);
  }
}

function findAddon(): CudaAddon {
  try {
    const addon = loadCudaAddon();
    if (addon !== undefined) return addon;
  } catch (error) {
    throw new CudaUnavailable(`latentd's CUDA engine can't be loaded: ${messageOf(error)}`, hasCard());
  }
  throw new CudaUnavailable(
    "latentd was built without its CUDA engine: with NVIDIA's toolkit installed, build it with npm run build:cuda",
    hasCard(),
  );
}

/** Whether a driver of NVIDIA's, or of Windows' subsystem for Linux, shows a device. */
function hasCard(): boolean {
  return existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Picks hold for a card, its driver and its library; `v1` are these kernels. */
function picksFile({ info }: CudaDevice): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const name = ['v1', info.name, info.capability, info.driver, info.library]
    .join(' ')
    .replace(/[^\w.]+/g, '-');
  return join(cache, 'latentd/cuda', `${name.slice(0, 120)}.json`);
}

function readPicks(file: string): CudaPicks {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as CudaPicks;
  } catch {
    // There are none yet, or they are no use: they are measured again.
    return {};
  }
}

function writePicks(file: string, picks: CudaPicks): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, JSON.stringify(picks));
    renameSync(unfinished, file);
  } catch {
    // A folder that can't be written costs the next process its first run.
  }
}
