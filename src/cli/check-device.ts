import type { ResolvedSettings } from '../config/resolve-settings.js';
import type { Device } from '../engine/choose-backend.js';
import { hasFastBf16 } from '../native/addon.js';
import { cudaProblem } from '../native/find-cuda.js';
import { UsageError } from './exit-codes.js';

/** A device or precision that was asked for by name must not be replaced in silence. */
export function checkDevice({ device, precision }: ResolvedSettings): void {
  if (precision.value === 'bf16' && !hasFastBf16()) {
    throw new UsageError(
      `${precision.from}: this processor has no arithmetic of bfloat16 (AVX512-BF16), so bf16 would only cost digits; use fp32`,
    );
  }
  if (device.value === 'auto' || device.value === 'cpu') return;
  const problem = device.value === 'cuda' ? cudaProblem() : 'latentd has no webgpu backend yet';
  if (problem === undefined) return;
  throw new UsageError(`${device.from}: ${problem}; use cpu or auto, and see \`latentd doctor\``);
}

/** The device to compute on, once it was checked. */
export function deviceOf({ device }: ResolvedSettings): Device {
  return device.value === 'webgpu' ? 'cpu' : device.value;
}
