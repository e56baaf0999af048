/**
 * Changes of a model's two predictions, of how they are combined, or of what comes out, from 0.29.0's comfy_extras: nodes_apg.py, nodes_cfg.py,
 * nodes_tcfg.py, nodes_fresca.py, nodes_pag.py, nodes_mahiro.py, nodes_lumina2.py, nodes_eps.py and nodes_differential_diffusion.py.
 */
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import type { Guidance } from '../../models/denoiser/guidance.js';
import { adaptiveProjectedGuidance } from '../../sampling/guidance-methods/adaptive-projected-guidance.js';
import {
  boundedByPositive,
  epsilonScaled,
  positiveBiased,
  temporalScoreRescaling,
  zeroStar,
} from '../../sampling/guidance-methods/after-guidance.js';
import { differentialMask } from '../../sampling/guidance-methods/differential-diffusion.js';
import { frequencyScaled } from '../../sampling/guidance-methods/fresca.js';
import { perturbedAttentionGuidance } from '../../sampling/guidance-methods/perturbed-attention.js';
import { noiseOfPositiveLength, renormalised } from '../../sampling/guidance-methods/renormalised.js';
import { tangentialDamping } from '../../sampling/guidance-methods/tangential-damping.js';
import { boolean, defineNode, float, int, link } from '../definition.js';

type Before = NonNullable<Guidance['before']>[number];
type After = NonNullable<Guidance['after']>[number];

const model = link('MODEL', { tooltip: 'The model to change.' });
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;
const patched = [{ type: 'MODEL', name: 'patched_model' }] as const;

/** The model with its guidance changed; `identity` names all that the change depends on. */
function guided(
  own: DiffusionModel,
  identity: string,
  change: { readonly before?: Before; readonly after?: After } & Pick<
    Guidance,
    'combine' | 'noiseMask' | 'cfgAt'
  >,
): DiffusionModel {
  const { guidance } = own;
  const { before, after, ...replaced } = change;
  return own.withGuidance({
    ...guidance,
    ...replaced,
    identity: `${guidance.identity} ${identity}`,
    before: [...(guidance.before ?? []), ...(before === undefined ? [] : [before])],
    after: [...(guidance.after ?? []), ...(after === undefined ? [] : [after])],
  });
}

export const apg = defineNode({
  name: 'APG',
  displayName: 'Adaptive Projected Guidance',
  category: 'model/sampling/custom',
  description: 'Guidance that high scales do not oversaturate: bounded, and weakened along the prediction.',
  required: {
    model,
    eta: float({
      default: 1,
      min: -10,
      max: 10,
      step: 0.01,
      tooltip: 'Scales the part of guidance along the prediction; 1 for plain guidance.',
    }),
    norm_threshold: float({
      default: 5,
      min: 0,
      max: 50,
      step: 0.1,
      tooltip: 'The most that guidance may measure; 0 for no bound.',
    }),
    momentum: float({
      default: 0,
      min: -5,
      max: 1,
      step: 0.01,
      tooltip: "Share of earlier steps' guidance that is added; 0 for none.",
    }),
  },
  optional: {},
  outputs,
  run: ({ model: own, eta, norm_threshold: normThreshold, momentum }) => ({
    outputs: [
      guided(own, `apg ${eta} ${normThreshold} ${momentum}`, {
        before: adaptiveProjectedGuidance({ eta, normThreshold, momentum }),
      }),
    ],
  }),
});

export const tcfg = defineNode({
  name: 'TCFG',
  displayName: 'Tangential Damping CFG',
  category: 'advanced/guidance',
  description:
    'Keeps of the negative prompt only what runs along its direction in common with the positive one.',
  required: { model },
  optional: {},
  outputs: patched,
  run: ({ model: own }) => ({ outputs: [guided(own, 'tcfg', { before: tangentialDamping })] }),
});

export const freSca = defineNode({
  name: 'FreSca',
  displayName: 'FreSca',
  category: 'experimental',
  description: 'Scales low and high frequencies of guidance apart.',
  required: {
    model,
    scale_low: float({ default: 1, min: 0, max: 10, step: 0.01, tooltip: 'Scales low frequencies.' }),
    scale_high: float({ default: 1.25, min: 0, max: 10, step: 0.01, tooltip: 'Scales high frequencies.' }),
    freq_cutoff: int({
      default: 20,
      min: 1,
      max: 10000,
      step: 1,
      tooltip: 'How many frequencies to each side of 0 are low.',
    }),
  },
  optional: {},
  outputs,
  run: ({ model: own, scale_low: low, scale_high: high, freq_cutoff: cutoff }) => ({
    outputs: [
      guided(own, `fresca ${low} ${high} ${cutoff}`, { before: frequencyScaled({ low, high, cutoff }) }),
    ],
  }),
});

export const cfgZeroStar = defineNode({
  name: 'CFGZeroStar',
  displayName: 'CFGZeroStar',
  category: 'advanced/guidance',
  description: 'Scales the negative prediction to fit the positive one best before guidance.',
  required: { model },
  optional: {},
  outputs: patched,
  run: ({ model: own }) => ({ outputs: [guided(own, 'zero star', { after: zeroStar })] }),
});

export const cfgNorm = defineNode({
  name: 'CFGNorm',
  displayName: 'CFGNorm',
  category: 'advanced/guidance',
  description: "Holds the guided prediction's length at each place to the positive one's.",
  required: {
    model,
    strength: float({ default: 1, min: 0, max: 100, step: 0.01, tooltip: 'Scales the result.' }),
  },
  optional: {
    pre_cfg: boolean({
      default: false,
      tooltip: 'Gives the guided noise that length before anything else, lengthening it where need be.',
    }),
  },
  outputs: patched,
  run: ({ model: own, strength, pre_cfg: isBefore = false }) => ({
    outputs: [
      isBefore
        ? guided(own, `noise norm ${strength}`, { combine: noiseOfPositiveLength(strength) })
        : guided(own, `cfg norm ${strength}`, { after: boundedByPositive(strength) }),
    ],
  }),
});

export const renormCfg = defineNode({
  name: 'RenormCFG',
  displayName: 'RenormCFG',
  category: 'model/patch',
  description: 'Guidance below a noise level alone, never longer than a multiple of the positive prediction.',
  required: {
    model,
    cfg_trunc: float({
      default: 100,
      min: 0,
      max: 100,
      step: 0.01,
      tooltip: 'Noise level below which there is guidance.',
    }),
    renorm_cfg: float({
      default: 1,
      min: 0,
      max: 100,
      step: 0.01,
      tooltip: 'How long the result may be, in lengths of the positive prediction; 0 for any length.',
    }),
  },
  optional: {},
  outputs,
  run: ({ model: own, cfg_trunc: below, renorm_cfg: most }) => ({
    outputs: [guided(own, `renorm ${below} ${most}`, { combine: renormalised(below, most) })],
  }),
});

export const mahiro = defineNode({
  name: 'Mahiro',
  displayName: 'Positive-Biased Guidance',
  category: 'experimental',
  description: 'Scales towards the positive prompt itself where both prompts lead to the same place.',
  required: { model },
  optional: {},
  outputs: patched,
  run: ({ model: own }) => ({ outputs: [guided(own, 'mahiro', { after: positiveBiased })] }),
});

export const perturbedAttention = defineNode({
  name: 'PerturbedAttentionGuidance',
  displayName: 'PerturbedAttentionGuidance',
  category: 'model/patch/unet',
  description: 'Guides away from a prediction whose middle block attends to nothing.',
  required: {
    model,
    scale: float({
      default: 3,
      min: 0,
      max: 100,
      step: 0.01,
      round: 0.01,
      tooltip: 'How far; 0 for not at all.',
    }),
  },
  optional: {},
  outputs,
  run: ({ model: own, scale }) => ({
    outputs: [guided(own, `pag ${scale}`, { after: perturbedAttentionGuidance(scale) })],
  }),
});

export const epsilonScaling = defineNode({
  name: 'Epsilon Scaling',
  displayName: 'Epsilon Scaling',
  category: 'model/patch/unet',
  description: 'Divides the predicted noise, against the bias of sampling from own predictions.',
  required: {
    model,
    scaling_factor: float({
      default: 1.005,
      min: 0.5,
      max: 1.5,
      step: 0.001,
      tooltip: 'What the noise is divided by.',
    }),
  },
  optional: {},
  outputs,
  run: ({ model: own, scaling_factor: factor }) => ({
    outputs: [guided(own, `epsilon scaling ${factor}`, { after: epsilonScaled(factor) })],
  }),
});

export const temporalScoreRescale = defineNode({
  name: 'TemporalScoreRescaling',
  displayName: 'TSR - Temporal Score Rescaling',
  category: 'model/patch/unet',
  description: 'Rescales the predicted noise over time to steer how diverse pictures are.',
  required: {
    model,
    tsr_k: float({
      default: 0.95,
      min: 0.01,
      max: 100,
      step: 0.001,
      tooltip: 'Below 1 for more detail, above for smoother pictures; 1 for no change.',
    }),
    tsr_sigma: float({
      default: 1,
      min: 0.01,
      max: 100,
      step: 0.001,
      tooltip: 'How early it takes effect; larger is earlier.',
    }),
  },
  optional: {},
  outputs: patched,
  run: ({ model: own, tsr_k: k, tsr_sigma: sigma }) => ({
    outputs: [guided(own, `tsr ${k} ${sigma}`, { after: temporalScoreRescaling(k, sigma) })],
  }),
});

export const differentialDiffusion = defineNode({
  name: 'DifferentialDiffusion',
  displayName: 'Differential Diffusion',
  category: 'experimental',
  description: 'Takes the grey of a noise mask as the share of sampling that each place takes part in.',
  required: { model },
  optional: {
    strength: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'Below 1 mixes in the mask as it is.',
    }),
  },
  outputs,
  run: ({ model: own, strength = 1 }) => ({
    outputs: [guided(own, `differential ${strength}`, { noiseMask: differentialMask(strength) })],
  }),
});

export const cfgOverride = defineNode({
  name: 'CFGOverride',
  displayName: 'CFG Override',
  category: 'model/sampling/guiders',
  description:
    'Another scale of guidance over a part of sampling; of several, the one nearest the sampler counts.',
  required: {
    model,
    cfg: float({
      default: 1,
      min: 0,
      max: 100,
      step: 0.1,
      round: 0.01,
      tooltip: 'The scale there.',
    }),
    start_percent: float({ default: 0, min: 0, max: 1, step: 0.001, tooltip: 'Where the part begins.' }),
    end_percent: float({ default: 1, min: 0, max: 1, step: 0.001, tooltip: 'Where it ends.' }),
  },
  optional: {},
  outputs,
  run({ model: own, cfg, start_percent: start, end_percent: end }) {
    const { levels } = own.sampling;
    const [highest, lowest] = [levels.percentToSigma(start), levels.percentToSigma(end)];
    const before = own.guidance.cfgAt;
    const cfgAt = (sigma: number, given: number): number =>
      sigma >= lowest && sigma <= highest ? cfg : (before?.(sigma, given) ?? given);
    return { outputs: [guided(own, `cfg ${cfg} ${highest} ${lowest}`, { cfgAt })] };
  },
});
