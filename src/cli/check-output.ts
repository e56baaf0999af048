import type { ResolvedSettings } from '../config/resolve-settings.js';
import { UsageError } from './exit-codes.js';
import { whyNotWritable } from './writable.js';

/** Says that results have nowhere to go before a picture was drawn rather than after. Throws `UsageError`. */
export function checkOutput({ output }: Pick<ResolvedSettings, 'output'>): void {
  const reason = whyNotWritable(output.value);
  if (reason !== undefined) throw new UsageError(`results can't go to ${output.value}: ${reason}`);
}
