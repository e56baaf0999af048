/** What commander makes of the flags of `latentd run`. */
import type { SettingOptions } from '../setting-options.js';

export interface RunFlags extends SettingOptions {
  readonly prompt?: string;
  readonly checkpoint?: string;
  readonly model?: string;
  readonly lora?: string;
  readonly negative?: string;
  readonly steps?: string;
  readonly size?: string;
  readonly cfg?: string;
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly batchIndex?: string;
  readonly frameIndex?: string;
  readonly json?: boolean;
}
