/**
 * Text encoders in the precision that ComfyUI keeps them in: float16, or what the file's norms are stored in, also after a LoRA was
 * added; all is computed in float32 (comfy/sd.py, t5xxl_detect and llama_detect; comfy/model_management.py, pick_weight_dtype).
 */
import type { Weight } from '../../compute/weight.js';
import { roundToBfloat16, roundToHalf } from '../weights/rounding.js';
import { inHalfPrecision } from './half-precision.js';
import { roundedWeights } from './rounded-weights.js';
import type { WeightSource } from '../weights/weight-source.js';

export interface PrecisionRule {
  /** Its type is the encoder's. */
  readonly norms: readonly string[];
  /** Whether float32 stays, or becomes float16. */
  readonly keepsFloat32: boolean;
}

/** `source` with every value rounded to the type that `rule` finds. */
export function inStoredPrecision(
  source: WeightSource,
  { norms, keepsFloat32 }: PrecisionRule,
): WeightSource {
  const norm = norms.find((key) => source.has(key));
  const dtype = norm === undefined ? undefined : source.weight(norm).stored?.dtype;
  switch (dtype) {
    case 'BF16':
      return inBfloat16(source);
    case 'F32':
      return keepsFloat32 ? source : inHalfPrecision(source);
    case 'F8_E4M3':
    case 'F8_E5M2':
      return source;
    default:
      return inHalfPrecision(source);
  }
}

/** Rounds to the type that a weight is stored in, where that is a half. */
export function roundingOf({ stored }: Weight): (values: Float32Array) => void {
  switch (stored?.dtype) {
    case 'F16':
      return roundToHalf;
    case 'BF16':
      return roundToBfloat16;
    default:
      return () => undefined;
  }
}

function inBfloat16(source: WeightSource): WeightSource {
  return roundedWeights(source, { name: 'bf16', fits, round: roundToBfloat16 });
}

/** Types that are rounded; what is quantised counts as it is. */
const finer: ReadonlySet<string> = new Set(['F64', 'F32', 'F16']);

function fits({ stored }: Weight): boolean {
  return stored !== undefined && !finer.has(stored.dtype);
}
