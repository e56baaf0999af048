/** Types of WAS's own. */
import type { CustomType } from '../../public.js';

/** What WAS's samplers take. */
export interface WasSeed {
  readonly seed: number | bigint;
}

export const SEED = 'SEED' as CustomType<WasSeed>;
export const NUMBER = 'NUMBER' as CustomType<number | bigint>;
export const LIST = 'LIST' as CustomType<readonly string[]>;
