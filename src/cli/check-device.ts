import type { ResolvedSettings } from '../config/resolve-settings.js';
import { cardOf, devicesOf, type Device } from '../config/device.js';
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
  for (const name of device.value.split(',')) {
    if (name === 'auto' || name === 'cpu') continue;
    const problem =
      name === 'webgpu' ? 'latentd has no webgpu backend yet' : cudaProblem(cardOf(name as Device));
    if (problem === undefined) continue;
    throw new UsageError(`${device.from}: ${problem}; use cpu or auto, and see \`latentd doctor\``);
  }
}

/** The one device to compute on, once it was checked. Throws `UsageError` for several. */
export function deviceOf({ device }: ResolvedSettings): Device {
  const [first, ...others] = devicesOf(device.value);
  if (first !== undefined && others.length === 0) return first;
  throw new UsageError(`${device.from}: one workflow is run on one device; several are for latentd serve`);
}
