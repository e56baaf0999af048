/** SD3: CLIP-L and bigG side by side, T5 behind them; any may be missing (ComfyUI comfy/text_encoders/sd3_clip.py, SD3ClipModel). */
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { clipEncoder, clipG, clipL } from '../../clip/clip-encoder.js';
import { concatStates } from '../../text/join-channels.js';
import type { EncodedSections, TextEncoding } from '../../text/text-encoding.js';
import { sd3T5 } from './t5-uses.js';

export type Sd3Encoder = 'l' | 'g' | 't5xxl';

const widths = { l: 768, g: 1280, t5xxl: 4096 } as const;
/** Tokens that stand for no text at all. */
const nothingTokens = 77;

const l = clipEncoder(clipL, {
  layer: -2,
  normalized: false,
  pooled: 'plain',
  lora: {
    kohya: ['lora_te', 'lora_te1'],
    diffusers: 'text_encoder',
    projection: ['lora_te1_text_projection'],
  },
});

function g(alone: boolean) {
  return clipEncoder(clipG, {
    layer: -2,
    normalized: false,
    pooled: 'projected',
    lora: {
      kohya: alone ? ['lora_te', 'lora_prior_te'] : ['lora_te2'],
      diffusers: alone ? 'text_encoder' : 'text_encoder_2',
      projection: ['lora_prior_te_text_projection', 'lora_te2_text_projection'],
    },
  });
}

/** SD3's encoding with those encoders that there are. */
export function sd3Text(present: readonly Sd3Encoder[]): TextEncoding {
  const has = (name: Sd3Encoder) => present.includes(name);
  const clips = (['l', 'g'] as const).filter(has);
  const encoders = [
    ...clips.map((name) => (name === 'l' ? l : g(!has('l')))),
    ...(has('t5xxl') ? [sd3T5(1 + clips.length)] : []),
  ];
  return {
    encoders,
    absent: (['l', 'g', 't5xxl'] as const).filter((name) => !has(name)),
    join(all) {
      const of = (name: Sd3Encoder) => all[encoders.findIndex((encoder) => encoder.name === name)];
      return joined(of('l'), of('g'), of('t5xxl'));
    },
  };
}

function joined(
  ofL: EncodedSections | undefined,
  ofG: EncodedSections | undefined,
  t5: EncodedSections | undefined,
): { readonly cond: Tensor; readonly pooled: Tensor } {
  const width = t5?.hidden.shape[2] ?? widths.t5xxl;
  const states = sideBySide(ofL, ofG);
  const rows = [...(states === undefined ? [] : [padded(states, width)]), ...(t5 ? [t5.hidden] : [])];
  return {
    cond: rows.length === 0 ? tensor([1, nothingTokens, width]) : behindEachOther(rows),
    pooled: pooledOf([ofL?.pooled ?? tensor([1, widths.l]), ofG?.pooled ?? tensor([1, widths.g])]),
  };
}

/** bigG alone keeps CLIP-L's place free. */
function sideBySide(ofL: EncodedSections | undefined, ofG: EncodedSections | undefined): Tensor | undefined {
  if (ofG === undefined) return ofL?.hidden;
  if (ofL !== undefined) return concatStates([ofL.hidden, ofG.hidden]);
  const [, tokens = 0] = ofG.hidden.shape;
  return concatStates([tensor([1, tokens, widths.l]), ofG.hidden]);
}

function padded(states: Tensor, width: number): Tensor {
  const [, tokens = 0, own = 0] = states.shape;
  if (own >= width) return states;
  return concatStates([states, tensor([1, tokens, width - own])]);
}

function behindEachOther(states: readonly Tensor[]): Tensor {
  const tokens = states.reduce((sum, { shape }) => sum + shape[1]!, 0);
  const all = tensor([1, tokens, states[0]!.shape[2]!]);
  let offset = 0;
  for (const { data } of states) {
    all.data.set(data, offset);
    offset += data.length;
  }
  return all;
}

function pooledOf(parts: readonly Tensor[]): Tensor {
  const all = tensor([1, parts.reduce((sum, { data }) => sum + data.length, 0)]);
  let offset = 0;
  for (const { data } of parts) {
    all.data.set(data, offset);
    offset += data.length;
  }
  return all;
}
