import type { ResolvedSettings } from '../config/settings.js';
import { UsageError } from './exit-codes.js';

/** Everything runs on the processor so far; a device that was asked for by name must not be replaced in silence. */
export function checkDevice({ device }: ResolvedSettings): void {
  if (device.value === 'auto' || device.value === 'cpu') return;
  throw new UsageError(
    `${device.from}: latentd has no ${device.value} backend yet; use cpu or auto, and see \`latentd doctor\``,
  );
}
