import type { Program } from '../../compute/backend.js';
import { tensor } from '../../compute/tensor.js';
import { concatChannels } from '../../imaging/latent-channels.js';
import { changesOfKind, type ModelChange } from '../denoiser/changes.js';
import type { Denoiser, Network } from '../denoiser/denoiser.js';
import { devicePrediction, sampleOnDevice } from '../denoiser/device-sampling.js';
import type { NetworkInputs } from '../denoiser/network-inputs.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { UnetConfig } from './config.js';
import { timestepEmbedding } from '../denoiser/timestep-embedding.js';
import { attendPictures } from './picture-attention.js';
import { buildUnetGraph } from './unet-graph.js';
import { chooseVariant, unchangedAttention, type UnetVariant } from './variant.js';

/**
 * A UNet of the family called `family`. Its inputs are `context` (N×T×contextDim), `adm` where it has a label embedding (N×admChannels),
 * and `concat` (N×C×h×w), channels that it sees beside the latent. Residuals of control are added behind its input blocks (`block.0`, …, of
 * T2I-Adapters), to what these hand over to the output blocks (`skip.0`, …) and behind its middle (`middle`).
 */
export function unetNetwork(family: string, config: UnetConfig): Network {
  return {
    graph: (weights) => graphOf(weights, () => buildUnetGraph(config, weights)),
    open: (weights, changes, programs) => openUnet({ family, config, weights, changes, programs }),
  };
}

/** Changes that go by more than a step's latent and time, or draw. */
const changesOfEvaluations = [
  'tile',
  'merge',
  'record-attention',
  'pictures',
  'shrink',
  'guide-attention',
  'hypernetwork',
  'ground',
] as const;

interface UnetParts {
  readonly family: string;
  readonly config: UnetConfig;
  readonly weights: WeightSource;
  readonly changes: readonly ModelChange[];
  readonly programs: ProgramCache;
}

function openUnet(unet: UnetParts): Denoiser {
  const { config, weights, changes, programs } = unet;
  const useProgram = <Result>(variant: UnetVariant, body: (program: Program) => Promise<Result>) =>
    programs.use(
      `unet ${weights.identity} ${JSON.stringify(variant)}`,
      () => graphOf(weights, () => buildUnetGraph(config, weights, variant)),
      body,
    );
  return {
    async predict({ x, timesteps, sigma = 0, prompts = [0], inputs, control, random, onAttention }) {
      checkInputs(unet, inputs);
      const { concat, ...others } = inputs;
      const [rows = 1, , height = 1, width = 1] = x.shape;
      const size = { rows, height, width };
      const chosen = chooseVariant(config, changes, { ...size, sigma, prompts, random, control });
      const attended = await attendPictures(config, changes, chosen.sizes, { ...size, sigma, prompts });
      const variant = { ...chosen.variant, pictures: attended.pictures };
      const given = {
        x: concat === undefined ? x : concatChannels(x, concat),
        time_embedding: timestepEmbedding(timesteps, config.modelChannels),
        ...others,
        ...chosen.inputs,
        ...attended.inputs,
      };
      const outputs = await useProgram(variant, (program) => program.run(given));
      if (outputs['attention'] !== undefined) onAttention?.(outputs['attention']);
      return outputs['out']!;
    },
    async sample(sampling, levels) {
      const { shape, inputs, cfg } = sampling;
      checkInputs(unet, inputs);
      const prediction = devicePrediction(levels);
      const isPlain = changesOfKind(changes, ...changesOfEvaluations).length === 0;
      if (prediction === undefined || !isPlain || inputs['concat'] !== undefined) return undefined;
      const [rows = 1, ...picture] = shape;
      const batch = cfg === undefined ? rows : 2 * rows;
      const given = {
        x: tensor([batch, ...picture]),
        time_embedding: tensor([batch, config.modelChannels]),
        ...inputs,
      };
      const ports = { x: 'x', timeEmbedding: 'time_embedding', out: 'out' };
      const denoising = { ports, prediction, sigmaData: levels.sigmaData };
      return useProgram(unchangedAttention(changes), async ({ onDevice }) =>
        onDevice?.(given, (program) => sampleOnDevice(program, given, denoising, sampling)),
      );
    },
  };
}

function checkInputs({ family, config }: UnetParts, { context, adm }: NetworkInputs): void {
  const width = context?.shape.at(-1) ?? 0;
  if (width !== config.contextDim) {
    throw new ModelError(
      `this ${family} model takes text encodings of width ${config.contextDim}, the conditioning has ${width}: encode the prompt with the text encoder of the same checkpoint`,
    );
  }
  if ((adm === undefined) === (config.admChannels === undefined)) return;
  throw new ModelError(
    adm === undefined
      ? `this ${family} model needs pooled text and sizes, the conditioning has none`
      : `this ${family} model takes no pooled text`,
  );
}
