/** What commander makes of the flags of `latentd bench`. */
import type { SettingOptions } from '../setting-options.js';

export interface BenchFlags extends SettingOptions {
  readonly checkpoint?: string;
  readonly width?: string;
  readonly height?: string;
  readonly batch?: string;
  readonly steps?: string;
  readonly sampler?: string;
  readonly scheduler?: string;
  readonly matrix?: readonly string[];
  readonly repeats?: string;
  readonly warmup?: string;
  readonly cold?: string;
  readonly json?: string;
  readonly html?: string;
  readonly compare?: string;
  readonly profile?: string;
}
