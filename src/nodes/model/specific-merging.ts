/** Mixes block by block, a class for each architecture (ComfyUI comfy_extras/nodes_model_merging_model_specific.py). */
import { defineNode, float, link, type AnyNodeClass } from '../definition.js';
import { mergedModel, shareOf } from './merged-model.js';

/** `NAME{}` × a number stands for NAME0, NAME1, …: what keys of an architecture begin with. */
type Prefixes = Readonly<Record<string, number>>;

const unet = (blocks: number, end: string): Prefixes => ({
  'time_embed.': 1,
  'label_emb.': 1,
  [`input_blocks.{}${end}`]: blocks,
  [`middle_block.{}${end}`]: 3,
  [`output_blocks.{}${end}`]: blocks,
  'out.': 1,
});
const stableDiffusion3 = (blocks: number): Prefixes => ({
  'pos_embed.': 1,
  'x_embedder.': 1,
  'context_embedder.': 1,
  'y_embedder.': 1,
  't_embedder.': 1,
  'joint_blocks.{}.': blocks,
  'final_layer.': 1,
});
const cosmos = (blocks: number): Prefixes => ({
  'pos_embedder.': 1,
  'extra_pos_embedder.': 1,
  'x_embedder.': 1,
  't_embedder.': 1,
  'affline_norm.': 1,
  'blocks.block{}.': blocks,
  'final_layer.': 1,
});
const cosmosPredict2 = (blocks: number): Prefixes => ({
  'pos_embedder.': 1,
  'x_embedder.': 1,
  't_embedder.': 1,
  't_embedding_norm.': 1,
  'blocks.{}.': blocks,
  'final_layer.': 1,
});

const architectures: Readonly<Record<string, Prefixes>> = {
  SD1: unet(12, '.'),
  SD2: unet(12, '.'),
  SDXL: unet(9, ''),
  SD3_2B: stableDiffusion3(24),
  SD35_Large: stableDiffusion3(38),
  Auraflow: {
    'init_x_linear.': 1,
    positional_encoding: 1,
    'cond_seq_linear.': 1,
    register_tokens: 1,
    't_embedder.': 1,
    'double_layers.{}.': 4,
    'single_layers.{}.': 32,
    'modF.': 1,
    'final_linear.': 1,
  },
  Flux1: {
    'img_in.': 1,
    'time_in.': 1,
    guidance_in: 1,
    'vector_in.': 1,
    'txt_in.': 1,
    'double_blocks.{}.': 19,
    'single_blocks.{}.': 38,
    'final_layer.': 1,
  },
  MochiPreview: {
    'pos_frequencies.': 1,
    't_embedder.': 1,
    't5_y_embedder.': 1,
    't5_yproj.': 1,
    'blocks.{}.': 48,
    'final_layer.': 1,
  },
  LTXV: {
    'patchify_proj.': 1,
    'adaln_single.': 1,
    'caption_projection.': 1,
    'transformer_blocks.{}.': 28,
    scale_shift_table: 1,
    'proj_out.': 1,
  },
  Cosmos7B: cosmos(28),
  Cosmos14B: cosmos(36),
  CosmosPredict2_2B: cosmosPredict2(28),
  CosmosPredict2_14B: cosmosPredict2(36),
  WAN2_1: {
    'patch_embedding.': 1,
    'time_embedding.': 1,
    'time_projection.': 1,
    'text_embedding.': 1,
    'img_emb.': 1,
    'blocks.{}.': 40,
    'head.': 1,
  },
  QwenImage: {
    'pos_embeds.': 1,
    'img_in.': 1,
    'txt_norm.': 1,
    'txt_in.': 1,
    'time_text_embed.': 1,
    'transformer_blocks.{}.': 60,
    'proj_out.': 1,
  },
  Krea2: {
    'first.': 1,
    'tmlp.': 1,
    'txtmlp.': 1,
    'tproj.': 1,
    'txtfusion.layerwise_blocks.{}.': 2,
    'txtfusion.projector.': 1,
    'txtfusion.refiner_blocks.{}.': 2,
    'blocks.{}.': 28,
    'last.': 1,
  },
};

function prefixesOf(templates: Prefixes): string[] {
  return Object.entries(templates).flatMap(([template, count]) =>
    Array.from({ length: count }, (_, index) => template.replace('{}', String(index))),
  );
}

const share = float({
  default: 1,
  min: 0,
  max: 1,
  step: 0.01,
  tooltip: 'Share of the first model in the weights whose keys begin so.',
});

/** `ModelMergeSD1` and its kin. A key takes the share of the longest prefix that it begins with, else the first one. */
export const specificMerges: readonly AnyNodeClass[] = Object.entries(architectures).map(
  ([name, templates]) =>
    defineNode({
      name: `ModelMerge${name}`,
      displayName: `ModelMerge${name}`,
      category: 'model/merging/model specific',
      description: 'Mixes two models, each block by a share of its own.',
      required: {
        model1: link('MODEL', { tooltip: 'What is changed.' }),
        model2: link('MODEL', { tooltip: 'What is mixed in.' }),
        ...Object.fromEntries(prefixesOf(templates).map((prefix) => [prefix, share])),
      },
      optional: {},
      outputs: [{ type: 'MODEL', name: 'MODEL' }],
      run({ model1, model2, ...shares }, context) {
        const sharesOf = (key: string) => {
          const own = shareOf(key, shares);
          return { own, other: 1 - own };
        };
        return { outputs: [mergedModel(model1, model2, sharesOf, context)] };
      },
    }),
);
