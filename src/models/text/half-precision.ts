/**
 * Text encoders in half precision. ComfyUI keeps their weights as float16 whatever the checkpoint has, also after a LoRA
 * was added to them, and computes in float32 (comfy/model_management.py, text_encoder_dtype).
 */
import type { Weight } from '../../compute/weight.js';
import { dtypes } from '../../native/dtypes.js';
import { roundToHalf } from '../weights/rounding.js';
import type { WeightSource } from '../weights/weight-source.js';
import { roundedWeights } from './rounded-weights.js';

/** `source` with every value rounded to float16; what is stored in a type that fits is left where it lies. */
export function inHalfPrecision(source: WeightSource): WeightSource {
  return roundedWeights(source, { name: 'f16', fits, round: roundToHalf });
}

function fits({ stored }: Weight): boolean {
  return stored !== undefined && dtypes[stored.dtype].fitsF16 === true;
}
