/** Which kind of Wan a file holds, and its sizes (ComfyUI comfy/model_detection.py). */
import type { WeightSource } from '../../weights/weight-source.js';
import { countOf } from '../../weights/count-of.js';
import type { RotaryAxes } from '../positions.js';

export interface WanSizes {
  readonly width: number;
  readonly heads: number;
  readonly blocks: number;
  /** Channels that it sees, and that it predicts. */
  readonly inputs: number;
  readonly outputs: number;
  readonly contextWidth: number;
  /** Of an encoded picture, where it attends to one. */
  readonly pictureWidth: number | undefined;
  /** Encoded pictures' tokens that have a position of their own (first and last frame). */
  readonly picturePositions: number | undefined;
  /** Blocks that look at films beside the latent, and the channels of these (VACE). */
  readonly vace: { readonly blocks: number; readonly channels: number } | undefined;
  /** It takes a reference picture's patches before the film's (Fun control). */
  readonly takesReference: boolean;
  /** Channels of a camera's path, eight by eight pixels together. */
  readonly cameraChannels: number | undefined;
  readonly axes: RotaryAxes;
}

export const PATCH = 2;
export const HEAD_WIDTH = 128;

/** Keys of kinds that hear sounds, or see poses and faces. */
const OF_OTHERS = [
  'casual_audio_encoder.encoder.final_linear.weight',
  'audio_proj.audio_proj_glob_1.layer.bias',
  'face_adapter.fuser_blocks.0.k_norm.weight',
  'patch_embedding_mask.weight',
  'patch_embedding_pose.weight',
  'patch_embedding_global.weight',
];

export function detectWan(weights: WeightSource): WanSizes | undefined {
  if (!weights.has('head.modulation') || !weights.has('patch_embedding.weight')) return undefined;
  if (OF_OTHERS.some((key) => weights.has(key))) return undefined;
  const extent = (key: string, axis: number): number | undefined =>
    weights.has(key) ? weights.weight(key).shape[axis] : undefined;
  const width = weights.weight('head.modulation').shape.at(-1)!;
  const sixth = Math.floor(HEAD_WIDTH / 6);
  const vaceChannels = extent('vace_patch_embedding.weight', 1);
  return {
    width,
    heads: width / HEAD_WIDTH,
    blocks: countOf(weights, 'blocks'),
    inputs: weights.weight('patch_embedding.weight').shape[1]!,
    outputs: weights.weight('head.head.weight').shape[0]! / (PATCH * PATCH),
    contextWidth: weights.weight('text_embedding.0.weight').shape[1]!,
    pictureWidth: extent('img_emb.proj.1.weight', 1),
    picturePositions: extent('img_emb.emb_pos', 1),
    vace:
      vaceChannels === undefined
        ? undefined
        : { blocks: countOf(weights, 'vace_blocks'), channels: vaceChannels },
    takesReference: weights.has('ref_conv.weight'),
    cameraChannels: extent('control_adapter.conv.weight', 1),
    axes: { widths: [HEAD_WIDTH - 4 * sixth, 2 * sixth, 2 * sixth], theta: 10000 },
  };
}
