/** What becomes of a control's residuals by masks, keyframes and weights (ComfyUI-Advanced-ControlNet adv_control/utils.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { mapValues } from '../../imaging/tensor-ops.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import { withChannel } from '../../imaging/latent-channels.js';
import type { ControlledEvaluation, ControlResiduals } from '../denoiser/control.js';
import { ModelError } from '../model-error.js';
import type { ControlNetwork } from './control-network.js';
import { ALWAYS, type ControlKeyframe, type ControlWeights, type LatentKeyframe } from './keyframe.js';
import { mapResiduals, type Shaping } from './steering.js';

export interface ControlTiming {
  readonly keyframes?: readonly ControlKeyframe[] | undefined;
  /** In place of the keyframes'. */
  readonly weights?: ControlWeights | undefined;
  readonly latents?: readonly LatentKeyframe[] | undefined;
  /** N×H×W, at all times. */
  readonly mask?: Tensor | undefined;
}

/** Undefined where nothing of it is given. Throws `ModelError` for weights that the network's layers can't have. */
export function shapingOf(network: ControlNetwork, timing: ControlTiming): Shaping | undefined {
  const { keyframes = network.keyframes ?? [ALWAYS], mask } = timing;
  const clock = new KeyframeClock(keyframes, timing);
  const isPlain = keyframes.length === 1 && keyframes[0] === ALWAYS;
  if (isPlain && mask === undefined && timing.weights === undefined && timing.latents === undefined) {
    return undefined;
  }
  const weights = [timing.weights, ...keyframes.map((keyframe) => keyframe.weights)];
  const unusual = weights.some((each) => each !== undefined && each.base !== 1);
  if (unusual && network.weightedBy === 'features') {
    throw new ModelError(
      "soft weights are for ControlNets; this is a T2I-Adapter, whose features can't have them",
    );
  }
  // As in the reference, a keyframe's mask counts on until another one's.
  let keyframeMask: { readonly run: number; readonly mask: Tensor } | undefined;
  return (evaluation) => {
    const { keyframe, ...state } = clock.at(evaluation);
    if (keyframe.strength === 0) return undefined;
    return (residuals) => {
      if (keyframe.mask !== undefined) keyframeMask = { run: clock.run, mask: keyframe.mask };
      const lasting = keyframeMask?.run === clock.run ? keyframeMask.mask : undefined;
      const masks = [mask, lasting].filter((each) => each !== undefined);
      return shaped(residuals, evaluation, network, { keyframe, ...state }, masks);
    };
  };
}

interface KeyframeState {
  readonly keyframe: ControlKeyframe;
  readonly weights: ControlWeights | undefined;
  readonly latents: readonly LatentKeyframe[] | undefined;
}

/** Goes from keyframe to keyframe as noise levels fall; one that rises is a new run's. */
class KeyframeClock {
  /** How many runs it has seen begin. */
  run = 0;
  private sigma: number | undefined;
  private highest = Infinity;
  private index = -1;
  private used = 0;
  private state: KeyframeState = { keyframe: ALWAYS, weights: undefined, latents: undefined };

  constructor(
    private readonly keyframes: readonly ControlKeyframe[],
    private readonly overrides: ControlTiming,
  ) {}

  at({ sigma, sampling: { levels } }: ControlledEvaluation): KeyframeState {
    if (sigma === this.sigma) return this.state;
    if (this.sigma === undefined || sigma > this.sigma) {
      this.run++;
      this.index = -1;
      this.highest = sigma;
    }
    this.sigma = sigma;
    const startOf = ({ start }: ControlKeyframe): number =>
      start <= 0 ? Infinity : levels.percentToSigma(start);
    const guaranteed = (keyframe: ControlKeyframe): number =>
      startOf(keyframe) > this.highest ? 0 : keyframe.guaranteedSteps;
    if (this.index < 0 || this.used >= guaranteed(this.state.keyframe)) {
      const before = this.index;
      for (let next = this.index + 1; next < this.keyframes.length; next++) {
        const keyframe = this.keyframes[next]!;
        if (startOf(keyframe) < sigma) break;
        this.enter(keyframe, next);
        if (guaranteed(keyframe) > 0) break;
      }
      if (before !== this.index) {
        const { weights = this.state.weights, latents = this.state.latents } = this.overrides;
        this.state = { ...this.state, weights, latents };
      }
    }
    this.used++;
    return this.state;
  }

  private enter(keyframe: ControlKeyframe, index: number): void {
    const kept = keyframe.inherits && this.index >= 0 ? this.state : undefined;
    this.state = {
      keyframe,
      weights: keyframe.weights ?? kept?.weights,
      latents: keyframe.latents ?? kept?.latents,
    };
    this.index = index;
    this.used = 0;
  }
}

function shaped(
  residuals: ControlResiduals,
  evaluation: ControlledEvaluation,
  { weightedBy }: ControlNetwork,
  { keyframe, weights, latents }: KeyframeState,
  masks: readonly Tensor[],
): ControlResiduals {
  const skips = Object.keys(residuals).filter((place) => place.startsWith('skip.')).length;
  const rows = rowFactors(evaluation, keyframe, weights, latents);
  return mapResiduals(residuals, (residual, place) => {
    const skip = /^skip\.(\d+)$/.exec(place)?.[1];
    const isSoft = weights !== undefined && skip !== undefined && weightedBy === 'skips';
    const weight = isSoft ? weights.base ** (skips - Number(skip)) : 1;
    const factors = rows.map((factor) => Math.fround(factor * keyframe.strength * weight));
    return masks.reduce((value, each) => masked(value, each, evaluation), byRow(residual, factors));
  });
}

/** How much each row of the evaluation counts. */
function rowFactors(
  { x, prompts }: ControlledEvaluation,
  { strengthOfOthers }: ControlKeyframe,
  weights: ControlWeights | undefined,
  latents: readonly LatentKeyframe[] | undefined,
): number[] {
  const latentCount = x.shape[0]! / prompts.length;
  return prompts.flatMap((prompt) =>
    Array.from({ length: latentCount }, (_, index) => {
      const named = latents?.findLast(
        (each) => (each.index < 0 ? each.index + latentCount : each.index) === index,
      );
      const ofLatent =
        latents === undefined || latents.length === 0 ? 1 : (named?.strength ?? strengthOfOthers);
      return ofLatent * (prompt === 1 ? (weights?.negative ?? 1) : 1);
    }),
  );
}

function byRow(residual: Tensor, factors: readonly number[]): Tensor {
  if (factors.every((factor) => factor === 1)) return residual;
  const length = residual.data.length / factors.length;
  return tensor(
    residual.shape,
    residual.data.map((value, at) => value * factors[Math.floor(at / length)]!),
  );
}

/** Times a mask, scaled to the picture and then to the residual; the last of a batch goes on for the latents that have none. */
function masked(residual: Tensor, mask: Tensor, { x, conditions }: ControlledEvaluation): Tensor {
  const [rows = 1, channels = 1, height = 1, width = 1] = residual.shape;
  const [pixelHeight = 1, pixelWidth = 1] = x.shape.slice(-2).map((extent) => extent * 8);
  const scaledTo = (source: Tensor, h: number, w: number) =>
    upscaleLatent(source, 'bilinear', { height: h, width: w, crop: 'disabled' });
  const fitted = scaledTo(scaledTo(withChannel(mask), pixelHeight, pixelWidth), height, width);
  const [count = 1] = fitted.shape;
  const latents = rows / conditions;
  const pixels = height * width;
  let at = 0;
  return mapValues(residual, (value) => {
    const row = Math.min(Math.floor(at / (channels * pixels)) % latents, count - 1);
    return value * fitted.data[row * pixels + (at++ % pixels)]!;
  });
}

/** The same, counting as its loader's keyframes say. */
export function withKeyframes(
  network: ControlNetwork,
  keyframes: readonly ControlKeyframe[] | undefined,
): ControlNetwork {
  if (keyframes === undefined) return network;
  return {
    ...network,
    keyframes,
    withKind: (kind) => withKeyframes(network.withKind(kind), keyframes),
    show: (picture) => network.show(picture),
  };
}
