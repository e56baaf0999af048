/** Guidance by leaving blocks of a transformer out (ComfyUI comfy_extras/nodes_slg.py and nodes_sd3.py). */
import type { SkippedBlocks } from '../../models/denoiser/changes.js';
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import {
  skipLayerGuidance,
  skipLayersOfNegative,
  type SigmaRange,
} from '../../sampling/guidance-methods/skip-layer-guidance.js';
import { defineNode, float, link, string } from '../definition.js';

const category = 'advanced/guidance';
const model = link('MODEL', { tooltip: 'The model to change.' });
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;
const layers = (which: string) =>
  string({ default: '7, 8, 9', multiline: false, tooltip: `Numbers of the ${which} to leave out.` });
const percent = (value: number, tooltip: string) =>
  float({ default: value, min: 0, max: 1, step: 0.001, tooltip });
const scale = float({ default: 3, min: 0, max: 10, step: 0.1, tooltip: 'How strongly it counts.' });

/** ComfyUI takes every run of digits. */
function numbersIn(text: string): number[] {
  return [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

function rangeOf({ sampling }: DiffusionModel, start: number, end: number): SigmaRange {
  const { levels } = sampling;
  return { highest: levels.percentToSigma(start), lowest: levels.percentToSigma(end) };
}

interface Choice {
  readonly skipped: SkippedBlocks;
  readonly scale: number;
  readonly start: number;
  readonly end: number;
  readonly rescaling: number;
}

function guidedAway(own: DiffusionModel, { start, end, ...choice }: Choice): DiffusionModel {
  const { skipped } = choice;
  if (skipped.double.length === 0 && skipped.single.length === 0) return own;
  const { guidance } = own;
  return own.withGuidance({
    ...guidance,
    identity: `${guidance.identity} slg ${JSON.stringify([start, end, choice])}`,
    after: [...(guidance.after ?? []), skipLayerGuidance({ ...choice, range: rangeOf(own, start, end) })],
  });
}

export const skipLayerGuidanceSd3 = defineNode({
  name: 'SkipLayerGuidanceSD3',
  displayName: 'SkipLayerGuidanceSD3',
  category,
  description: 'Guides SD3 away from what it predicts without some of its blocks.',
  required: {
    model,
    layers: layers('blocks'),
    scale,
    start_percent: percent(0.01, 'Share of sampling from which on it counts.'),
    end_percent: percent(0.15, 'Share of sampling up to which it counts.'),
  },
  optional: {},
  outputs,
  run: ({ model: own, layers: double, scale: by, start_percent: start, end_percent: end }) => ({
    outputs: [
      guidedAway(own, {
        skipped: { kind: 'skip-blocks', double: numbersIn(double), single: [] },
        scale: by,
        ...{ start, end },
        rescaling: 0,
      }),
    ],
  }),
});

export const skipLayerGuidanceDit = defineNode({
  name: 'SkipLayerGuidanceDiT',
  displayName: 'SkipLayerGuidanceDiT',
  category,
  description: 'Guides a transformer away from what it predicts without some of its blocks.',
  required: {
    model,
    double_layers: layers('double blocks'),
    single_layers: layers('single blocks'),
    scale,
    start_percent: percent(0.01, 'Share of sampling from which on it counts.'),
    end_percent: percent(0.15, 'Share of sampling up to which it counts.'),
    rescaling_scale: float({
      default: 0,
      min: 0,
      max: 10,
      step: 0.01,
      tooltip: "How far the result's contrast is brought back to the prediction's.",
    }),
  },
  optional: {},
  outputs,
  run: ({ model: own, double_layers: double, single_layers: single, ...rest }) => ({
    outputs: [
      guidedAway(own, {
        skipped: { kind: 'skip-blocks', double: numbersIn(double), single: numbersIn(single) },
        scale: rest.scale,
        start: rest.start_percent,
        end: rest.end_percent,
        rescaling: rest.rescaling_scale,
      }),
    ],
  }),
});

export const skipLayerGuidanceDitSimple = defineNode({
  name: 'SkipLayerGuidanceDiTSimple',
  displayName: 'SkipLayerGuidanceDiTSimple',
  category,
  description: 'Predicts without the prompt by fewer of a transformer’s blocks.',
  required: {
    model,
    double_layers: layers('double blocks'),
    single_layers: layers('single blocks'),
    start_percent: percent(0, 'Share of sampling from which on it counts.'),
    end_percent: percent(1, 'Share of sampling up to which it counts.'),
  },
  optional: {},
  outputs,
  run({ model: own, double_layers: double, single_layers: single, start_percent: start, end_percent: end }) {
    const skipped: SkippedBlocks = {
      kind: 'skip-blocks',
      double: numbersIn(double),
      single: numbersIn(single),
    };
    if (skipped.double.length === 0 && skipped.single.length === 0) return { outputs: [own] };
    const { guidance } = own;
    return {
      outputs: [
        own.withGuidance({
          ...guidance,
          identity: `${guidance.identity} slg negative ${JSON.stringify([start, end, skipped])}`,
          before: [...(guidance.before ?? []), skipLayersOfNegative(skipped, rangeOf(own, start, end))],
        }),
      ],
    };
  },
});
