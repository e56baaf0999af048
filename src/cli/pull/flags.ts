/** What commander makes of the flags of `latentd pull`. */
import type { SettingOptions } from '../setting-options.js';

export interface PullFlags extends SettingOptions {
  readonly for?: string;
  readonly folder?: string;
  readonly as?: string;
  readonly sha256?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}
