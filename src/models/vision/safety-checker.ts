/**
 * Stable Diffusion's safety checker: CLIP's image encoder, and concepts that a picture must not be too near to (diffusers
 * pipelines/stable_diffusion/safety_checker.py, StableDiffusionSafetyChecker).
 */
import type { Tensor } from '../../compute/tensor.js';
import { ModelError } from '../model-error.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import { derived } from '../weights/weight-views.js';
import { createEncoderAsStored } from './vision-tower.js';

export interface SafetyChecker {
  /** Which of images N×H×W×C in [0, 1] it turns away. */
  check(images: Tensor): Promise<readonly boolean[]>;
}

/** What is near to a concept of special care is looked at more strictly by so much. */
const SPECIAL_CARE = 0.01;
/** A vision model in a model of its own name, as diffusers saves it. */
const NESTED = 'vision_model.';

/** Rows of unit length, as torch's `normalize` makes them, and how near each may be. */
interface Concepts {
  readonly rows: readonly Float32Array[];
  readonly thresholds: Float32Array;
}

/** Of a file as diffusers has it (`safety_checker/model.safetensors`). Throws `ModelError` for any other. */
export function createSafetyChecker(file: WeightSource, programs: ProgramCache): SafetyChecker {
  for (const key of ['concept_embeds', 'special_care_embeds', 'visual_projection.weight']) {
    if (!file.has(key)) {
      throw new ModelError(
        `${file.path} has no ${key}: a safety checker is wanted, as diffusers has it in safety_checker/model.safetensors`,
      );
    }
  }
  const encoder = createEncoderAsStored(towerOf(file), programs);
  const concepts = conceptsOf(file, 'concept_embeds');
  const special = conceptsOf(file, 'special_care_embeds');
  return {
    async check(images) {
      const { embeds } = await encoder.encode(images, 'center');
      const [count = 0, width = 0] = embeds.shape;
      return Array.from({ length: count }, (_, index) => {
        const embed = unit(embeds.data.slice(index * width, (index + 1) * width));
        return isNear(embed, concepts, isNear(embed, special, 0) ? SPECIAL_CARE : 0);
      });
    },
  };
}

/** Scores are rounded to three digits before they are judged. */
function isNear(embed: Float32Array, { rows, thresholds }: Concepts, adjustment: number): boolean {
  return rows.some((row, index) => {
    const cosine = row.reduce((sum, value, at) => sum + value * embed[at]!, 0);
    return Math.round((cosine - thresholds[index]! + adjustment) * 1000) > 0;
  });
}

function towerOf(file: WeightSource): WeightSource {
  const names = new Map<string, string>([['visual_projection.weight', 'visual_projection.weight']]);
  for (const key of file.keys()) {
    if (key.startsWith(`${NESTED}${NESTED}`)) names.set(key.slice(NESTED.length), key);
    else if (key.startsWith(NESTED)) names.set(key, key);
  }
  return derived(file, 'safety checker', names);
}

function conceptsOf(file: WeightSource, key: string): Concepts {
  const weight = file.weight(key);
  const [count = 0, width = 0] = weight.shape;
  const thresholds = file.weight(`${key}_weights`);
  if (weight.shape.length !== 2 || thresholds.shape.join() !== String(count)) {
    throw new ModelError(
      `${file.path}: ${key} has the shape [${weight.shape.join(', ')}], its weights [${thresholds.shape.join(', ')}]; a threshold for each row is wanted`,
    );
  }
  const values = new Float32Array(count * width);
  weight.read(values);
  const read = new Float32Array(count);
  thresholds.read(read);
  return {
    rows: Array.from({ length: count }, (_, row) => unit(values.slice(row * width, (row + 1) * width))),
    thresholds: read,
  };
}

function unit(row: Float32Array): Float32Array {
  const length = Math.max(Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)), 1e-12);
  return row.map((value) => value / length);
}
