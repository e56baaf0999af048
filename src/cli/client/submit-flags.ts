/** What commander makes of the flags of `latentd submit`. */
import type { SettingOptions } from '../setting-options.js';

export interface SubmitFlags extends SettingOptions {
  readonly prompt?: string;
  readonly negative?: string;
  readonly negativePrompt?: string;
  readonly checkpoint?: string;
  readonly model?: string;
  readonly size?: string;
  readonly steps?: string;
  readonly cfg?: string;
  readonly lora?: string;
  readonly loraStrength?: string;
  readonly seed?: string;
  readonly sampler?: string;
  readonly scheduler?: string;
  readonly denoise?: string;
  readonly batch?: string;
  readonly frames?: string;
  readonly tiles?: string;
  readonly workflow?: string | undefined;
  readonly set?: readonly string[];
  readonly id?: string;
  readonly front?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
}
