/** How large a UNet's features are, block by block, and where they shrink and grow (ComfyUI comfy_extras/nodes_model_downscale.py). */
import type { NamedTensors } from '../../compute/backend.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { upscaleLatent, type LatentUpscaleMethod } from '../../imaging/upscale.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import type { Shrinking } from '../denoiser/changes.js';
import { ModelError } from '../model-error.js';
import type { UnetConfig } from './config.js';

export interface FeatureSize {
  readonly height: number;
  readonly width: number;
}

export interface FeatureSizes {
  /** Of the residual blocks of each side, in order of execution. */
  readonly input: readonly FeatureSize[];
  readonly middle: FeatureSize;
  readonly output: readonly FeatureSize[];
  /** Numbers of the output blocks whose features grow to their skip's size. */
  readonly growing: readonly number[];
  /** `shrink.INDEX.rows` and `.columns` of each shrinking, `grow.BLOCK.rows` and `.columns` of each block that grows. */
  readonly inputs: NamedTensors;
}

/** Of a latent's size; `shrinks` are those that count now, `up` is how features grow again. */
export function featureSizes(
  { residualBlocks }: Pick<UnetConfig, 'residualBlocks'>,
  latent: FeatureSize,
  shrinks: readonly Shrinking[] = [],
  up: Shrinking['up'] = 'bicubic',
): FeatureSizes {
  const inputs: Record<string, Tensor> = {};
  const skips: FeatureSize[] = [];
  const [input, output]: [FeatureSize[], FeatureSize[]] = [[], []];
  const growing: number[] = [];
  let size = latent;
  const shrink = (block: number, afterSkip: boolean): void => {
    shrinks.forEach((each, index) => {
      if (each.block !== block || each.afterSkip !== afterSkip) return;
      const next = shrunk(size, each.factor);
      Object.assign(inputs, resampling(`shrink.${index}`, each.down, size, next));
      size = next;
    });
  };
  const endBlock = (): void => {
    const block = skips.length;
    shrink(block, false);
    skips.push(size);
    shrink(block, true);
  };
  endBlock();
  const last = residualBlocks.length - 1;
  residualBlocks.forEach((count, level) => {
    for (let block = 0; block < count; block++) {
      input.push(size);
      endBlock();
    }
    if (level === last) return;
    size = { height: Math.ceil(size.height / 2), width: Math.ceil(size.width / 2) };
    endBlock();
  });
  const middle = size;
  residualBlocks.toReversed().forEach((count, level) => {
    for (let block = 0; block <= count; block++) {
      const skip = skips.pop()!;
      if (skip.height !== size.height) {
        Object.assign(inputs, resampling(`grow.${output.length}`, up, size, skip));
        growing.push(output.length);
      }
      size = skip;
      output.push(size);
    }
    if (level < last) size = skips.at(-1)!;
  });
  return { input, middle, output, growing, inputs };
}

function shrunk({ height, width }: FeatureSize, factor: number): FeatureSize {
  const next = { height: roundHalfEven(height * (1 / factor)), width: roundHalfEven(width * (1 / factor)) };
  if (next.height >= 1 && next.width >= 1) return next;
  throw new ModelError(
    `PatchModelAddDownscale can't shrink features of ${width}×${height} by ${factor}: nothing is left of them; take a smaller factor or an earlier block`,
  );
}

/** What resizing does to lines, and to columns: what it makes of the identity. */
function resampling(
  name: string,
  method: Exclude<LatentUpscaleMethod, 'bislerp'>,
  from: FeatureSize,
  to: FeatureSize,
): NamedTensors {
  const along = (own: number, next: number, axis: 'height' | 'width'): Tensor => {
    const target = { height: own, width: own, [axis]: next };
    return upscaleLatent(tensor([1, 1, own, own], identity(own)), method, target);
  };
  return {
    [`${name}.rows`]: along(from.height, to.height, 'height'),
    [`${name}.columns`]: along(from.width, to.width, 'width'),
  };
}

function identity(extent: number): Float32Array {
  return Float32Array.from({ length: extent * extent }, (_, at) => (at % (extent + 1) === 0 ? 1 : 0));
}
