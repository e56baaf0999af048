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
  const { rgbFactors, rgbBias } = latentFormat;
  const latentRgb = { factors: rgbFactors, ...(rgbBias !== undefined && { bias: rgbBias }) };
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
      const first = firstOf(denoised);
      return models.vae(files).decode(first);
    },
  });
}

function firstOf({ shape: [, ...shape], data }: Tensor): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tensor([1, ...shape], data.slice(0, size));
}
