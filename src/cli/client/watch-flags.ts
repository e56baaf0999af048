/** What commander makes of the flags of `latentd watch`. */
import type { SettingOptions } from '../setting-options.js';

export interface WatchFlags extends SettingOptions {
  readonly json?: boolean;
}
