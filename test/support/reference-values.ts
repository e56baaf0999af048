/** Node inputs and outputs as `tools/reference/node_cases.py` writes them down, and as our nodes take and return them. */
import type { Tensor } from '../../src/compute/tensor.js';
import type { Checkpoint } from '../../src/models/model-store.js';
import type { Area, ConditioningEntry, Latent } from '../../src/nodes/values.js';
import { maxDifference, type GoldenTensors } from './golden.js';

/** A literal, a tensor, a part of a tiny checkpoint, or ComfyUI's dictionaries with tensors by key. */
export type Written =
  | string
  | number
  | boolean
  | { readonly tensor: string }
  | { readonly part: readonly [family: 'sd15' | 'sdxl', part: keyof Checkpoint] }
  | { readonly latent: Readonly<Record<string, unknown>> }
  | { readonly conditioning: readonly Readonly<Record<string, unknown>>[] };

const LATENT_FIELDS: Readonly<Record<string, keyof Latent>> = {
  samples: 'samples',
  noise_mask: 'noiseMask',
  batch_index: 'batchIndex',
};

const CONDITIONING_FIELDS: Readonly<Record<string, keyof ConditioningEntry>> = {
  cond: 'cond',
  pooled_output: 'pooled',
  width: 'width',
  height: 'height',
  crop_w: 'cropWidth',
  crop_h: 'cropHeight',
  target_width: 'targetWidth',
  target_height: 'targetHeight',
  aesthetic_score: 'aestheticScore',
  start_percent: 'startPercent',
  end_percent: 'endPercent',
  strength: 'strength',
  area: 'area',
  mask: 'mask',
  mask_strength: 'maskStrength',
  set_area_to_bounds: 'setAreaToBounds',
  concat_latent_image: 'concatLatentImage',
  concat_mask: 'concatMask',
};

/** What a node would receive or return. `open` gives the tiny checkpoints' parts where a fixture names them. */
export function readValue(
  written: Written,
  tensor: GoldenTensors,
  open?: (family: 'sd15' | 'sdxl') => Checkpoint,
): unknown {
  if (typeof written !== 'object') return written;
  if ('part' in written) return open?.(written.part[0])[written.part[1]];
  if ('tensor' in written) return tensor(written.tensor);
  if ('latent' in written) return renamed(written.latent, LATENT_FIELDS, tensor);
  return written.conditioning.map((entry) => renamed(entry, CONDITIONING_FIELDS, tensor));
}

function renamed(
  fields: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, string>>,
  tensor: GoldenTensors,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      const name = names[key];
      if (name === undefined) throw new Error(`a fixture holds the unknown key ${key}`);
      if (key === 'area') return [name, areaOf(value as readonly (number | string)[])];
      return [name, typeof value === 'string' ? tensor(value) : value];
    }),
  );
}

/** ComfyUI's `(height, width, y, x)` or `("percentage", height, width, y, x)`. */
function areaOf(written: readonly (number | string)[]): Area {
  const unit = written[0] === 'percentage' ? 'fraction' : 'pixel';
  const [height, width, y, x] = written.slice(-4) as [number, number, number, number];
  return { unit, height, width, y, x };
}

/**
 * Every way in which `actual` isn't `expected`, one line each: tensors by the largest difference where it is over
 * `tolerance`, anything else by equality.
 */
export function differences(actual: unknown, expected: unknown, tolerance: number, path = ''): string[] {
  if (isTensor(expected)) {
    if (!isTensor(actual)) return [`${path}: no tensor`];
    if (actual.shape.join() !== expected.shape.join()) {
      return [`${path}: shape [${actual.shape.join()}], not [${expected.shape.join()}]`];
    }
    const difference = maxDifference(actual, expected);
    return difference <= tolerance ? [] : [`${path}: differs by ${difference}`];
  }
  if (typeof expected === 'number' && typeof actual === 'number' && !Number.isInteger(expected)) {
    // Mathematical libraries differ in the last digit of a sine.
    const close = Math.abs(actual - expected) <= 1e-13 * Math.abs(expected);
    return close ? [] : [`${path}: ${actual}, not ${expected}`];
  }
  if (typeof expected !== 'object' || expected === null) {
    return Object.is(actual, expected) ? [] : [`${path}: ${String(actual)}, not ${String(expected)}`];
  }
  const found = Object(actual) as Record<string, unknown>;
  const keys = new Set([...Object.keys(found), ...Object.keys(expected)]);
  return [...keys].flatMap((key) =>
    differences(found[key], (expected as Record<string, unknown>)[key], tolerance, `${path}.${key}`),
  );
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}
