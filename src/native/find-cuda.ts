/** Whether a card can be used, told without loading anything that computes: the daemon asks too. */
import { existsSync } from 'node:fs';
import { loadCudaAddon, type CudaAddon } from './cuda-addon.js';

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

/** Why a card, the first unless told otherwise, can't be used, as far as can be told without opening it; undefined when it can. */
export function cudaProblem(card = 0): string | undefined {
  try {
    const cards = findCudaAddon().countDevices();
    if (card < cards) return undefined;
    return cards === 0
      ? 'this machine has no NVIDIA card'
      : `there is no card ${card}; ${cards === 1 ? 'there is' : 'they are'} ${cardNames(cards)}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** The addon, where it was built. Throws `CudaUnavailable`. */
export function findCudaAddon(): CudaAddon {
  try {
    const addon = loadCudaAddon();
    if (addon !== undefined) return addon;
  } catch (error) {
    throw new CudaUnavailable(
      `latentd's CUDA engine can't be loaded: ${messageOf(error)}`,
      hasNvidiaDevice(),
    );
  }
  throw new CudaUnavailable(
    "latentd was built without its CUDA engine: with NVIDIA's toolkit installed, build it with npm run build:cuda",
    hasNvidiaDevice(),
  );
}

/** Whether a driver of NVIDIA's, or of Windows' subsystem for Linux, shows a device. */
export function hasNvidiaDevice(): boolean {
  return existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');
}

/** `cuda:0`, or `cuda:0 to cuda:3`. */
function cardNames(cards: number): string {
  return cards === 1 ? 'cuda:0' : `cuda:0 to cuda:${cards - 1}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
