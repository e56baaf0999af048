import type { ResolvedSettings } from '../config/settings.js';
import { hasFastBf16 } from '../native/addon.js';
import { UsageError } from './exit-codes.js';

/**
 * Everything runs on the processor so far. A device or precision that was asked for by name must not be replaced in silence.
 */
export function checkDevice({ device, precision }: ResolvedSettings): void {
  if (precision.value === 'bf16' && !hasFastBf16()) {
    throw new UsageError(
      `${precision.from}: this processor has no arithmetic of bfloat16 (AVX512-BF16), so bf16 would only cost digits; use fp32`,
    );
  }
  if (device.value === 'auto' || device.value === 'cpu') return;
  throw new UsageError(
    `${device.from}: latentd has no ${device.value} backend yet; use cpu or auto, and see \`latentd doctor\``,
  );
}
