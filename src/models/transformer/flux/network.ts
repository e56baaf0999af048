import type { Tensor } from '../../../compute/tensor.js';
import { tensor } from '../../../compute/tensor.js';
import { concatChannels } from '../../../imaging/latent-channels.js';
import type { ModelChange } from '../../denoiser/changes.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { timestepEmbedding } from '../../denoiser/timestep-embedding.js';
import { ModelError } from '../../model-error.js';
import { checkContext } from '../context.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches, type Patching } from '../patches.js';
import { angleTables, gridPositions, positions, type Positions } from '../positions.js';
import { placeReferences, referencesOf, type Place } from '../references.js';
import { nothingSkipped, skippedBlocks } from '../skipped.js';
import { firstTokens, joinTokens } from '../tokens.js';
import { refuseGuidedAttention } from './changes.js';
import type { FluxConfig } from './config.js';
import { buildFluxGraph, SINUSOID_WIDTH, type FluxVariant } from './graph.js';

const TIME_FACTOR = 1000;

/**
 * Flux.1 or Flux.2. Its inputs are `context` (N×T×contextWidth), `pooled` (N×C) and `guidance` (N×1) where it takes them, `concat`
 * (N×C×h×w), channels beside the latent, and references (`references.ts`).
 */
export function fluxNetwork(family: string, config: FluxConfig): Network {
  return transformerNetwork<FluxVariant>({
    name: config.second ? 'flux2' : 'flux',
    plain: {
      guidance: config.takesGuidance,
      pooled: config.pooledWidth !== undefined,
      zeroTime: false,
      skipped: nothingSkipped,
    },
    graph: (weights, variant) => buildFluxGraph(config, weights, variant),
    plan: (evaluation, changes) => planFlux(family, config, evaluation, changes),
  });
}

function planFlux(
  family: string,
  config: FluxConfig,
  { x, timesteps, inputs }: Evaluation,
  changes: readonly ModelChange[],
): TransformerPlan<FluxVariant> {
  refuseGuidedAttention(family, changes);
  const context = checkContext(family, config.contextWidth, inputs);
  const { guidance, pooled, concat } = inputs;
  const patching: Patching = { size: config.patch, order: 'channels first' };
  const whole = concat === undefined ? x : concatChannels(x, concat);
  const references = referencesOf(inputs, config.referenceMethod);
  const image = toPatches(whole, patching);
  if (image.shape[2] !== config.inputs) {
    throw new ModelError(
      `this ${family} model takes ${config.inputs} values a patch, the latent and what lies beside it have ${image.shape[2]}`,
    );
  }
  const grid = gridOf(x, config.patch);
  const runs = [
    textPositions(config, context.shape[1]!),
    gridIds(config, x, { index: 0, row: 0, column: 0 }),
  ];
  const tokens: Tensor[] = [];
  if (references !== undefined) {
    const placing = { size: config.patch, indexStep: config.referenceStep, canvas: grid };
    placeReferences(references, placing).forEach((place, index) => {
      const latent = references.latents[index]!;
      tokens.push(toPatches(latent, patching));
      runs.push(gridIds(config, latent, place));
    });
  }
  const zeroTime = references?.method === 'index_timestep_zero';
  const usesGuidance = config.takesGuidance && guidance !== undefined;
  const ownPooled = config.pooledWidth === undefined ? undefined : pooledOf(config.pooledWidth, pooled, x);
  const referenceTokens = tokens.length === 0 ? undefined : tokens.reduce(joinTokens);
  const together = referenceTokens === undefined || zeroTime ? image : joinTokens(image, referenceTokens);
  return {
    variant: {
      guidance: usesGuidance,
      pooled: ownPooled !== undefined,
      zeroTime,
      skipped: skippedBlocks(changes),
    },
    inputs: {
      image: together,
      context,
      time: embedded(timesteps),
      ...angleTables(runs, config.axes),
      ...(usesGuidance ? { guidance: embedded(guidance.data) } : {}),
      ...(ownPooled === undefined ? {} : { pooled: ownPooled }),
      ...(zeroTime && referenceTokens !== undefined
        ? { references: referenceTokens, zero_time: embedded(timesteps.map((time) => time * 0)) }
        : {}),
    },
    finish: (out) => {
      const { rows, columns } = grid;
      return fromPatches(firstTokens(out, rows * columns), [...x.shape], patching);
    },
  };
}

function embedded(numbers: ArrayLike<number>): Tensor {
  return timestepEmbedding(
    Float32Array.from(numbers, (value) => value * TIME_FACTOR),
    SINUSOID_WIDTH,
  );
}

/** The first values of the pooled text; zeros without one. */
function pooledOf(width: number, pooled: Tensor | undefined, { shape }: Tensor): Tensor {
  const [rows = 1] = shape;
  const own = tensor([rows, width]);
  if (pooled === undefined) return own;
  const given = pooled.shape.at(-1)!;
  for (let row = 0; row < rows; row++) {
    own.data.set(pooled.data.subarray(row * given, row * given + Math.min(width, given)), row * width);
  }
  return own;
}

function textPositions({ axes, textAxis }: FluxConfig, count: number): Positions {
  return positions(count, axes.widths.length, (token) =>
    axes.widths.map((_, axis) => (axis === textAxis ? token : 0)),
  );
}

function gridIds({ axes, patch }: FluxConfig, latent: Tensor, place: Place): Positions {
  const further = new Array<number>(axes.widths.length - 3).fill(0);
  return gridPositions(gridOf(latent, patch), axes.widths.length, (_, row, column) => [
    place.index,
    place.row + row,
    place.column + column,
    ...further,
  ]);
}
