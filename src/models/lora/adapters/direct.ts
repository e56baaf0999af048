import type { Weight } from '../../../compute/weight.js';
import { addScaled } from '../../../native/addon.js';
import { readValues } from '../lora-file.js';
import { type Adapter } from './adapter.js';

/** A plain difference: weight += strength · difference (comfy/lora.py, `diff`). */
export function differenceOf(difference: Weight): Adapter {
  return {
    mismatch: (shape) => shapeMismatch(difference, shape),
    apply(values, _shape, strength) {
      addScaled(values, readValues(difference), strength);
    },
  };
}

/** Other values in the weight's place, whatever the strength (comfy/lora.py, `set`). */
export function replacementBy(replacement: Weight): Adapter {
  return {
    mismatch: (shape) => shapeMismatch(replacement, shape),
    replaces: true,
    apply(values) {
      replacement.read(values);
    },
  };
}

function shapeMismatch(weight: Weight, shape: readonly number[]): string | undefined {
  if (weight.shape.join() === shape.join()) return undefined;
  return `it is [${weight.shape.join(', ')}], the weight [${shape.join(', ')}]`;
}
