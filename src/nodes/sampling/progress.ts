import { tensor, type Tensor } from '../../compute/tensor.js';
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import type { LatentFormat } from '../../models/denoiser/latent-format.js';
import { tinyDecoder } from '../../models/vae/tiny-files.js';
import type { SampledStep } from '../../sampling/run-sampler.js';
import type { RunContext, TinyDecoder } from '../context.js';

/** What sampling takes of the run around it: cancellation, and progress with what previews are made of. */
export function duringRun(
  { latentFormat }: DiffusionModel,
  context: RunContext,
): { readonly signal: AbortSignal; readonly progress: (step: SampledStep) => void } {
  const { rgbFactors, rgbBias, rgbPatch } = latentFormat;
  const latentRgb = {
    factors: rgbFactors,
    ...(rgbBias !== undefined && { bias: rgbBias }),
    ...(rgbPatch !== undefined && { patch: rgbPatch }),
  };
  const decoderFor = tinyDecoders(latentFormat, context);
  return {
    signal: context.signal,
    progress: (step) => {
      const decoder = decoderFor(step.denoised);
      context.progress({ ...step, latentRgb, ...(decoder !== undefined && { tinyDecoder: decoder }) });
    },
  };
}

/** The same run for the one of `count` equal parts of a node's work: steps that it reports are counted among those of all. */
export function partOfRun(context: RunContext, index: number, count: number): RunContext {
  const { folders, models, noise, signal, warn, metadata, nodeId, receivedTypes, newGraph } = context;
  return {
    folders,
    models,
    noise,
    signal,
    warn,
    metadata,
    nodeId,
    receivedTypes,
    newGraph,
    progress(step) {
      const { totalSteps } = step;
      context.progress({
        ...step,
        step: index * totalSteps + step.step,
        totalSteps: count * totalSteps,
      });
    },
  };
}

function tinyDecoders(
  { tinyDecoder: file }: LatentFormat,
  { folders, models }: RunContext,
): (denoised: Tensor) => TinyDecoder | undefined {
  if (file === undefined) return () => undefined;
  const files = tinyDecoder(folders, file);
  if (files === undefined) return () => ({ file });
  return (denoised) => ({
    file,
    async decode() {
      // A copy, taken at once: samplers go on in the same memory.
      const first = firstLatent(denoised);
      return models.vae(files).decode(first);
    },
  });
}

/** The first latent, of a film its first frame, N×C×1×h×w. */
export function firstLatent({ shape: [, channels = 0, ...extents], data }: Tensor): Tensor {
  const size = extents.reduce((product, extent) => product * extent, 1);
  if (extents.length < 3) return tensor([1, channels, ...extents], data.slice(0, channels * size));
  const [frames = 1, height = 0, width = 0] = extents;
  const first = tensor([1, channels, 1, height, width]);
  for (let channel = 0; channel < channels; channel++) {
    first.data.set(data.subarray(channel * size, channel * size + size / frames), channel * height * width);
  }
  return first;
}
