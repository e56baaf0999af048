/**
 * Text encoders in half precision. ComfyUI keeps their weights as float16 whatever the checkpoint has, also after a LoRA
 * was added to them, and computes in float32 (comfy/model_management.py, text_encoder_dtype).
 */
import type { Weight } from '../../compute/weight.js';
import { dtypes } from '../../native/dtypes.js';
import type { WeightSource } from '../weights/weight-source.js';
import { roundedWeights } from './rounded-weights.js';

/** `source` with every value rounded to float16; what is stored in a type that fits is left where it lies. */
export function inHalfPrecision(source: WeightSource): WeightSource {
  return roundedWeights(source, { name: 'f16', fits, round: roundToHalf });
}

function fits({ stored }: Weight): boolean {
  return stored !== undefined && dtypes[stored.dtype].fitsF16 === true;
}

const signBit = 0x80000000;
const smallestNormal = 0x38800000; // 2⁻¹⁴
const firstInfinite = 0x477ff000; // 65520, halfway between the largest half and the next power of two
const infinity = 0x7f800000;

/** Rounds float32 values in place to the nearest float16, ties to even; beyond its range they become infinite. */
export function roundToHalf(values: Float32Array): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < bits.length; index++) {
    const word = bits[index]!;
    const magnitude = word & ~signBit;
    if (magnitude < smallestNormal) {
      // Subnormal halves are multiples of 2⁻²⁴, which is float32's own spacing just below 1.
      const sum = Math.fround(Math.abs(values[index]!) + 0.75);
      values[index] = word < 0 ? -(sum - 0.75) : sum - 0.75;
    } else if (magnitude < firstInfinite) {
      // A half keeps 10 of the 23 bits of mantissa; a carry into the exponent is right too.
      bits[index] = (word + 0xfff + ((word >> 13) & 1)) & ~0x1fff;
    } else if (magnitude <= infinity) {
      bits[index] = (word & signBit) | infinity;
    }
  }
}
