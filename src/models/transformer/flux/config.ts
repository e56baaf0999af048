import type { ReferenceMethod } from '../../denoiser/conditioning.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import type { RotaryAxes } from '../positions.js';

/** A transformer of Flux's kind by its sizes; Black Forest Labs, 2024 and 2025. */
export interface FluxConfig {
  readonly width: number;
  readonly heads: number;
  readonly doubleBlocks: number;
  readonly singleBlocks: number;
  /** Latent pixels a side of a patch. */
  readonly patch: number;
  /** What a patch holds before the network, and behind it; more before where pictures and masks lie beside the latent. */
  readonly inputs: number;
  readonly outputs: number;
  readonly contextWidth: number;
  /** Of the pooled text, where it takes one. */
  readonly pooledWidth: number | undefined;
  readonly takesGuidance: boolean;
  /** One modulation for all blocks of a kind, and feed-forward layers that are gated: Flux.2. */
  readonly second: boolean;
  readonly axes: RotaryAxes;
  /** The axis that counts the text's tokens; none does in Flux.1. */
  readonly textAxis: number | undefined;
  readonly referenceMethod: ReferenceMethod;
  readonly referenceStep: number;
}

/** Whether keys are those of Flux, Flux.2 or Chroma. */
export function isFluxLike(weights: WeightSource): boolean {
  return weights.has('img_in.weight') && headWidth(weights) !== undefined;
}

/** Values of a head: what its norms weigh. */
export function headWidth(weights: WeightSource): number | undefined {
  const path = 'double_blocks.0.img_attn.norm.key_norm';
  for (const key of [`${path}.scale`, `${path}.weight`]) {
    if (weights.has(key)) return weights.weight(key).shape[0];
  }
  return undefined;
}

const first = {
  second: false,
  patch: 2,
  axes: { widths: [16, 56, 56], theta: 10000 },
  textAxis: undefined,
  referenceMethod: 'offset',
  referenceStep: 1,
} as const;

const second = {
  second: true,
  patch: 1,
  axes: { widths: [32, 32, 32, 32], theta: 2000 },
  textAxis: 3,
  referenceMethod: 'index',
  referenceStep: 10,
} as const;

/** Sizes of a file that is Flux's or Flux.2's; undefined for others, Chroma and what was made of Flux among them. */
export function detectFlux(weights: WeightSource): FluxConfig | undefined {
  if (!isFluxLike(weights) || !weights.has('time_in.in_layer.weight')) return undefined;
  // Ovis and LongCat have other feed-forward layers, norms or text positions.
  if (weights.has('double_blocks.0.img_mlp.gate_proj.weight') || weights.has('txt_norm.weight'))
    return undefined;
  const [width = 0, inputs = 0] = weights.weight('img_in.weight').shape;
  const [outputs = 0] = weights.weight('final_layer.linear.weight').shape;
  const vector = 'vector_in.in_layer.weight';
  const kind = weights.has('double_stream_modulation_img.lin.weight') ? second : first;
  return {
    ...kind,
    width,
    heads: width / headWidth(weights)!,
    doubleBlocks: countOf(weights, 'double_blocks'),
    singleBlocks: countOf(weights, 'single_blocks'),
    inputs,
    outputs,
    contextWidth: weights.weight('txt_in.weight').shape[1]!,
    pooledWidth: weights.has(vector) ? weights.weight(vector).shape[1] : undefined,
    takesGuidance: weights.has('guidance_in.in_layer.weight'),
  };
}
