/** Which device computes: the one that was asked for, or with `auto` a card where one can be used. */
import type { Backend } from '../compute/backend.js';
import { openCuda } from '../compute/cuda/open.js';
import { createOnnxBackend, type OnnxBackendOptions } from '../compute/onnx/backend.js';
import { withFallback } from '../compute/with-fallback.js';
import { CudaUnavailable } from '../native/find-cuda.js';
import { cardOf, type Device } from '../config/device.js';

/**
 * `notice` is told when `auto` can't use a card that seems to be there, and of graphs that run on the CPU all the same. Throws
 * `CudaUnavailable` for a card that was asked for by name.
 */
export function chooseBackend(
  device: Device,
  cpuOptions: OnnxBackendOptions,
  notice: (message: string) => void,
): Backend {
  const cpu = createOnnxBackend(cpuOptions);
  if (device === 'cpu') return cpu;
  try {
    return withFallback(openCuda(cardOf(device)).backend, cpu, notice);
  } catch (error) {
    if (!(error instanceof CudaUnavailable) || device !== 'auto') throw error;
    if (error.promising) notice(`the CPU computes: ${error.message}`);
    return cpu;
  }
}
