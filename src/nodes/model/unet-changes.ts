/** Changes of how a UNet computes (ComfyUI comfy_extras/nodes_freelunch.py, nodes_hypertile.py and nodes_tomesd.py). */
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import type { FreeU, HyperTile, TokenMerging } from '../../models/denoiser/changes.js';
import { boolean, defineNode, float, int, link } from '../definition.js';

const category = 'model/patch/unet';
const model = link('MODEL', { tooltip: 'The model to change.' });
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;

const scale = (value: number, tooltip: string) =>
  float({ default: value, min: 0, max: 10, step: 0.01, tooltip });
const scales = (b1: number, b2: number) => ({
  b1: scale(b1, "Scales the deepest blocks' features."),
  b2: scale(b2, "Scales the middle blocks' features."),
  s1: scale(0.9, "Scales the smooth part of the deepest blocks' skips."),
  s2: scale(0.2, "Scales the smooth part of the middle blocks' skips."),
});

interface Scales {
  readonly model: DiffusionModel;
  readonly b1: number;
  readonly b2: number;
  readonly s1: number;
  readonly s2: number;
}

function withFreeU(version: FreeU['version'], { model: own, b1, b2, s1, s2 }: Scales): DiffusionModel {
  const change: FreeU = {
    kind: 'free-u',
    version,
    deep: { backbone: b1, skip: s1 },
    middle: { backbone: b2, skip: s2 },
  };
  return own.withChanges([...own.changes, change]);
}

export const freeU = defineNode({
  name: 'FreeU',
  displayName: 'FreeU',
  category,
  description: "Strengthens the UNet's backbone and weakens what skips it, for clearer pictures.",
  required: { model, ...scales(1.1, 1.2) },
  optional: {},
  outputs,
  run: (inputs) => ({ outputs: [withFreeU(1, inputs)] }),
});

export const freeUV2 = defineNode({
  name: 'FreeU_V2',
  displayName: 'FreeU_V2',
  category,
  description: 'FreeU whose strength follows the features themselves.',
  required: { model, ...scales(1.3, 1.4) },
  optional: {},
  outputs,
  run: (inputs) => ({ outputs: [withFreeU(2, inputs)] }),
});

function withAttention(own: DiffusionModel, change: HyperTile | TokenMerging): DiffusionModel {
  return own.withChanges([...own.changes, change]);
}

export const hyperTile = defineNode({
  name: 'HyperTile',
  displayName: 'HyperTile',
  category,
  description: 'Lets tokens attend to each other within tiles only, which makes large pictures faster.',
  required: {
    model,
    tile_size: int({ default: 256, min: 1, max: 2048, tooltip: 'The least side of a tile, in pixels.' }),
    swap_size: int({
      default: 2,
      min: 1,
      max: 128,
      tooltip: 'From how many ways of cutting is drawn, one less than this.',
    }),
    max_depth: int({ default: 0, min: 0, max: 10, tooltip: 'How often a cut picture may have been halved.' }),
    scale_depth: boolean({ default: false, tooltip: 'Whether tiles grow with each halving.' }),
  },
  optional: {},
  outputs,
  run({
    model: own,
    tile_size: tileSize,
    swap_size: swapSize,
    max_depth: maxDepth,
    scale_depth: scaleDepth,
  }) {
    return { outputs: [withAttention(own, { kind: 'tile', tileSize, swapSize, maxDepth, scaleDepth })] };
  },
});

export const tomePatchModel = defineNode({
  name: 'TomePatchModel',
  displayName: 'TomePatchModel',
  category,
  description:
    'Merges tokens that are alike before they attend to others, which makes large pictures faster.',
  required: {
    model,
    ratio: float({ default: 0.3, min: 0, max: 1, step: 0.01, tooltip: 'Share of the tokens to merge.' }),
  },
  optional: {},
  outputs,
  run: ({ model: own, ratio }) => ({ outputs: [withAttention(own, { kind: 'merge', ratio })] }),
});
