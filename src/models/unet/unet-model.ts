import type { Tensor } from '../../compute/tensor.js';
import type { DiffusionModel, FamilyName, ModelSampling } from '../diffusion-model.js';
import { plainGuidance, type Guidance } from '../guidance.js';
import type { LatentFormat } from '../latent-format.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../model-graph.js';
import type { ProgramCache } from '../program-cache.js';
import type { WeightSource } from '../weight-source.js';
import { patched } from '../weight-views.js';
import type { UnetConfig } from './config.js';
import { timestepEmbedding } from './timestep-embedding.js';
import { buildUnetGraph } from './unet-graph.js';

export interface UnetModelParts {
  readonly family: FamilyName;
  readonly unet: UnetConfig;
  readonly weights: WeightSource;
  readonly latentFormat: LatentFormat;
  readonly sampling: ModelSampling;
  /** Plain when left out. */
  readonly guidance?: Guidance;
}

/** A denoiser whose graph is built and loaded by `programs` when it first predicts. */
export function createUnetModel(parts: UnetModelParts, programs: ProgramCache): DiffusionModel {
  const { unet, weights, sampling, guidance = plainGuidance } = parts;
  return {
    ...parts,
    guidance,
    identity: `${weights.identity}~${sampling.identity}~${guidance.identity}`,
    async predict({ x, timesteps, context, adm }) {
      checkContext(parts, context);
      if ((adm === undefined) !== (unet.admChannels === undefined)) {
        throw new ModelError(
          adm === undefined
            ? `this ${parts.family} model needs pooled text and sizes, the conditioning has none`
            : `this ${parts.family} model takes no pooled text`,
        );
      }
      const inputs = {
        x,
        time_embedding: timestepEmbedding(timesteps, unet.modelChannels),
        context,
        ...(adm === undefined ? {} : { adm }),
      };
      const outputs = await programs.use(
        `unet ${weights.identity}`,
        () => graphOf(weights, () => buildUnetGraph(unet, weights)),
        (program) => program.run(inputs),
      );
      return outputs['out']!;
    },
    withPatches: (patches) => createUnetModel({ ...parts, weights: patched(weights, patches) }, programs),
    withSampling: (other) => createUnetModel({ ...parts, sampling: other }, programs),
    withGuidance: (other) => createUnetModel({ ...parts, guidance: other }, programs),
    withLatentFormat: (other) => createUnetModel({ ...parts, latentFormat: other }, programs),
  };
}

function checkContext({ family, unet }: UnetModelParts, { shape }: Tensor): void {
  const width = shape.at(-1);
  if (width === unet.contextDim) return;
  throw new ModelError(
    `this ${family} model takes text encodings of width ${unet.contextDim}, the conditioning has ${width ?? 0}: encode the prompt with the text encoder of the same checkpoint`,
  );
}
