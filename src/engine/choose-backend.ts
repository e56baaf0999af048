/** Which device computes: the one that was asked for, or with `auto` a card where one can be used. */
import type { Backend } from '../compute/backend.js';
import { openCuda } from '../compute/cuda/open.js';
import { createOnnxBackend, type OnnxBackendOptions } from '../compute/onnx/backend.js';
import { withFallback } from '../compute/with-fallback.js';
import { CudaUnavailable } from '../native/find-cuda.js';

export type Device = 'auto' | 'cpu' | 'cuda';

/**
 * `notice` is told when `auto` can't use a card that seems to be there, and of graphs that run on the CPU all the same. Throws
 * `CudaUnavailable` for `cuda`.
 */
export function chooseBackend(
  device: Device,
  cpuOptions: OnnxBackendOptions,
  notice: (message: string) => void,
): Backend {
  const cpu = createOnnxBackend(cpuOptions);
  if (device === 'cpu') return cpu;
  try {
    return withFallback(openCuda().backend, cpu, notice);
  } catch (error) {
    if (!(error instanceof CudaUnavailable) || device === 'cuda') throw error;
    if (error.promising) notice(`the CPU computes: ${error.message}`);
    return cpu;
  }
}
