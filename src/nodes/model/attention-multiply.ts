/** Scales of attention's layers (ComfyUI comfy_extras/nodes_attention_multiply.py). */
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import { scalingPatches } from '../../models/weights/merge.js';
import { defineNode, float, link } from '../definition.js';

const category = 'experimental/attention_experiments';
const model = link('MODEL', { tooltip: 'The model to change.' });
const modelOutput = [{ type: 'MODEL', name: 'MODEL' }] as const;

const factor = (tooltip: string) => float({ default: 1, min: 0, max: 10, step: 0.01, tooltip });
const factors = {
  q: factor('Scales queries.'),
  k: factor('Scales keys.'),
  v: factor('Scales values.'),
  out: factor('Scales what attention hands on.'),
};

interface Factors {
  readonly q: number;
  readonly k: number;
  readonly v: number;
  readonly out: number;
}

function withFactors(own: DiffusionModel, attention: 'attn1' | 'attn2', factorsOf: Factors): DiffusionModel {
  const { q, k, v, out } = factorsOf;
  const layers: Readonly<Record<string, number>> = { to_q: q, to_k: k, to_v: v, 'to_out.0': out };
  const pattern = new RegExp(`${attention}\\.(to_q|to_k|to_v|to_out\\.0)\\.(?:weight|bias)$`);
  return own.withPatches(scalingPatches(own.weights, (key) => layers[pattern.exec(key)?.[1] ?? '']));
}

export const selfAttentionMultiply = defineNode({
  name: 'UNetSelfAttentionMultiply',
  displayName: 'UNetSelfAttentionMultiply',
  category,
  description: 'Scales the layers by which tokens of the picture attend to each other.',
  required: { model, ...factors },
  optional: {},
  outputs: modelOutput,
  run: ({ model: own, ...scales }) => ({ outputs: [withFactors(own, 'attn1', scales)] }),
});

export const crossAttentionMultiply = defineNode({
  name: 'UNetCrossAttentionMultiply',
  displayName: 'UNetCrossAttentionMultiply',
  category,
  description: 'Scales the layers by which tokens of the picture attend to the prompt.',
  required: { model, ...factors },
  optional: {},
  outputs: modelOutput,
  run: ({ model: own, ...scales }) => ({ outputs: [withFactors(own, 'attn2', scales)] }),
});

export const temporalAttentionMultiply = defineNode({
  name: 'UNetTemporalAttentionMultiply',
  displayName: 'UNetTemporalAttentionMultiply',
  category,
  description: 'Scales what attention hands on, within frames and from frame to frame apart.',
  required: {
    model,
    self_structural: factor('Scales attention within a frame.'),
    self_temporal: factor('Scales attention from frame to frame.'),
    cross_structural: factor("Scales a frame's attention to the prompt."),
    cross_temporal: factor('Scales attention to the prompt over time.'),
  },
  optional: {},
  outputs: modelOutput,
  run({ model: own, self_structural, self_temporal, cross_structural, cross_temporal }) {
    const scales: Readonly<Record<string, readonly [number, number]>> = {
      attn1: [self_structural, self_temporal],
      attn2: [cross_structural, cross_temporal],
    };
    const factorOf = (key: string): number | undefined => {
      const [, attention = ''] = /(attn[12])\.to_out\.0\.(?:weight|bias)$/.exec(key) ?? [];
      return scales[attention]?.[key.includes('.time_stack.') ? 1 : 0];
    };
    return { outputs: [own.withPatches(scalingPatches(own.weights, factorOf))] };
  },
});

export const clipAttentionMultiply = defineNode({
  name: 'CLIPAttentionMultiply',
  displayName: 'CLIPAttentionMultiply',
  category,
  description: "Scales the layers of the text encoders' attention.",
  required: { clip: link('CLIP', { tooltip: 'The text encoders to change.' }), ...factors },
  optional: {},
  outputs: [{ type: 'CLIP', name: 'CLIP' }],
  run({ clip, q, k, v, out }) {
    const layers: Readonly<Record<string, number>> = { q_proj: q, k_proj: k, v_proj: v, out_proj: out };
    const pattern = /self_attn\.(q_proj|k_proj|v_proj|out_proj)\.(?:weight|bias)$/;
    const patches = Object.entries(clip.weights).map(
      ([name, weights]) =>
        [name, scalingPatches(weights, (key) => layers[pattern.exec(key)?.[1] ?? ''])] as const,
    );
    return { outputs: [clip.withPatches(Object.fromEntries(patches))] };
  },
});
