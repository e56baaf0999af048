import type { Program } from '../../compute/backend.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { CARD_PREDICTIONS } from '../../native/cuda-addon.js';
import type { DiffusionModel, FamilyName, ModelSampling } from '../diffusion-model.js';
import { plainGuidance, type Guidance } from '../guidance.js';
import type { LatentFormat } from '../latent-format.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../model-graph.js';
import type { ProgramCache } from '../program-cache.js';
import type { WeightSource } from '../weight-source.js';
import { patched } from '../weight-views.js';
import { noChanges, type UnetChanges } from './changes.js';
import type { UnetConfig } from './config.js';
import { timestepEmbedding } from './timestep-embedding.js';
import { buildUnetGraph } from './unet-graph.js';
import { chooseVariant, plainVariant, type UnetVariant } from './variant.js';

export interface UnetModelParts {
  readonly family: FamilyName;
  readonly unet: UnetConfig;
  readonly weights: WeightSource;
  readonly latentFormat: LatentFormat;
  readonly sampling: ModelSampling;
  /** Plain when left out. */
  readonly guidance?: Guidance;
  /** None when left out. */
  readonly changes?: UnetChanges;
}

/** A denoiser whose graph is built and loaded by `programs` when it first predicts. */
export function createUnetModel(parts: UnetModelParts, programs: ProgramCache): DiffusionModel {
  const { unet, weights, sampling, guidance = plainGuidance, changes = noChanges } = parts;
  const useProgram = <Result>(variant: UnetVariant, body: (program: Program) => Promise<Result>) =>
    programs.use(
      `unet ${weights.identity} ${JSON.stringify(variant)}`,
      () => graphOf(weights, () => buildUnetGraph(unet, weights, variant)),
      body,
    );
  return {
    ...parts,
    guidance,
    changes,
    identity: [weights.identity, sampling.identity, guidance.identity, JSON.stringify(changes)].join('~'),
    async predict({ x, timesteps, context, adm, random, onAttention }) {
      checkConditioning(parts, context, adm);
      const [, , height = 1, width = 1] = x.shape;
      const { variant, inputs: drawn } = chooseVariant(unet, changes, { height, width, random });
      const inputs = {
        x,
        time_embedding: timestepEmbedding(timesteps, unet.modelChannels),
        context,
        ...(adm === undefined ? {} : { adm }),
        ...drawn,
      };
      const outputs = await useProgram(variant, (program) => program.run(inputs));
      if (outputs['attention'] !== undefined) onAttention?.(outputs['attention']);
      return outputs['out']!;
    },
    async sample({ shape, inputs: { context, adm }, cfg, ...rest }) {
      checkConditioning(parts, context, adm);
      const prediction = CARD_PREDICTIONS.find((known) => known === sampling.prediction);
      const isPlain = changes.attention.length === 0 && !changes.recordsAttention;
      if (prediction === undefined || !isPlain) return undefined;
      const [rows = 1, ...picture] = shape;
      const batch = cfg === undefined ? rows : 2 * rows;
      const inputs = {
        x: tensor([batch, ...picture]),
        time_embedding: tensor([batch, unet.modelChannels]),
        context,
        ...(adm === undefined ? {} : { adm }),
      };
      return useProgram(
        { ...plainVariant, freeU: changes.freeU },
        async (program) =>
          await program.sample?.(inputs, {
            ...rest,
            ...{ cfg, prediction, sigmaData: sampling.sigmaData },
            ports: { x: 'x', timeEmbedding: 'time_embedding', out: 'out' },
          }),
      );
    },
    withPatches: (patches) => createUnetModel({ ...parts, weights: patched(weights, patches) }, programs),
    withSampling: (other) => createUnetModel({ ...parts, sampling: other }, programs),
    withGuidance: (other) => createUnetModel({ ...parts, guidance: other }, programs),
    withChanges: (other) => createUnetModel({ ...parts, changes: other }, programs),
    withLatentFormat: (other) => createUnetModel({ ...parts, latentFormat: other }, programs),
  };
}

function checkConditioning(parts: UnetModelParts, context: Tensor, adm: Tensor | undefined): void {
  checkContext(parts, context);
  if ((adm === undefined) === (parts.unet.admChannels === undefined)) return;
  throw new ModelError(
    adm === undefined
      ? `this ${parts.family} model needs pooled text and sizes, the conditioning has none`
      : `this ${parts.family} model takes no pooled text`,
  );
}

function checkContext({ family, unet }: UnetModelParts, { shape }: Tensor): void {
  const width = shape.at(-1);
  if (width === unet.contextDim) return;
  throw new ModelError(
    `this ${family} model takes text encodings of width ${unet.contextDim}, the conditioning has ${width ?? 0}: encode the prompt with the text encoder of the same checkpoint`,
  );
}
