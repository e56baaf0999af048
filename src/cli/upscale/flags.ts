/** What commander makes of the flags of `latentd upscale`. */
import type { SettingOptions } from '../setting-options.js';

export interface UpscaleFlags extends SettingOptions {
  readonly model?: string;
  readonly faces?: string;
  readonly fidelity?: string;
  readonly detector?: string;
  readonly codec?: string;
  readonly crf?: string;
  readonly json?: boolean;
}

/** What `--json` prints. */
export interface UpscaleJson {
  readonly status: 'success' | 'error' | 'invalid' | 'interrupted';
  /** Absolute path of the film or picture. */
  readonly output?: string;
  readonly width?: number;
  readonly height?: number;
  /** Of a film: all its frames, and those that an earlier run had made. */
  readonly frames?: number;
  readonly resumed?: number;
  readonly seconds?: number;
  readonly error?: { readonly type: string; readonly message: string };
}
