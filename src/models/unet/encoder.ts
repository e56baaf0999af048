/** The half of a UNet of the openaimodel family that goes down, and its middle: what ControlNets have as well. */
import type { GraphBuilder, Value } from '../../compute/graph.js';
import type { Layers } from '../programs/layers.js';
import type { UnetEncoderConfig } from './config.js';
import type { JoinPictures } from './picture-attention.js';
import type { BlockChanger } from './block-changes.js';
import type { SelfAttention, SelfAttentions } from './self-attention.js';
import { spatialTransformer } from './spatial-transformer.js';

const normEpsilon = 1e-5;

/** What the layers of a UNet are written with. */
export interface UnetParts {
  readonly config: UnetEncoderConfig;
  readonly layers: Layers;
  /** N×T×contextDim; undefined where nothing attends to it. */
  readonly context: Value | undefined;
  readonly selfAttentions: SelfAttentions;
  /** What pictures add to each cross-attention. */
  readonly joinPictures?: JoinPictures;
  readonly changer: BlockChanger;
}

/** What an input block hands to the output block of its size, and to the next one. */
export interface Handed {
  readonly skip: Value;
  readonly next: Value;
}

/** Layers in the order in which data flows (ComfyUI comfy/ldm/modules/diffusionmodules/openaimodel.py and comfy/cldm/cldm.py). */
export class UnetEncoder {
  readonly graph: GraphBuilder;

  constructor(private readonly parts: UnetParts) {
    this.graph = parts.layers.graph;
  }

  /** Two linear layers with a SiLU between them. */
  embed(x: Value, first: string, second: string): Value {
    const { layers } = this.parts;
    return layers.linear(this.graph.activation(layers.linear(x, first), 'silu'), second);
  }

  /**
   * What each input block hands to the output block of the same size, and what goes on to the middle. `embedding` is activated: each
   * residual block begins by its own SiLU of it, which is the same one. `afterBlock` is given what a block yields.
   */
  down(
    x: Value,
    embedding: Value,
    afterBlock: (yielded: Value, block: number) => Handed,
  ): { readonly skips: readonly Value[]; readonly bottom: Value } {
    const { config, layers, selfAttentions } = this.parts;
    const { residualBlocks, transformerDepth } = config;
    const depths = [...transformerDepth];
    const skips: Value[] = [];
    const endBlock = (yielded: Value): Value => {
      const { skip, next } = afterBlock(yielded, skips.length);
      skips.push(skip);
      return next;
    };
    let hidden = endBlock(layers.conv2d(x, 'input_blocks.0.0', { padding: 1 }));
    residualBlocks.forEach((count, level) => {
      for (let block = 0; block < count; block++) {
        const path = `input_blocks.${skips.length}`;
        hidden = this.residualBlock(hidden, embedding, `${path}.0`);
        const depth = depths.shift() ?? 0;
        if (depth > 0) hidden = this.transformer(hidden, depth, selfAttentions.at('side'), `${path}.1`);
        hidden = endBlock(hidden);
      }
      if (level === residualBlocks.length - 1) return;
      hidden = endBlock(
        layers.conv2d(hidden, `input_blocks.${skips.length}.0.op`, { stride: 2, padding: 1 }),
      );
    });
    return { skips, bottom: hidden };
  }

  middle(x: Value, embedding: Value): Value {
    const { config, selfAttentions } = this.parts;
    const depth = config.transformerDepthMiddle;
    if (depth < -1) return x;
    const hidden = this.residualBlock(x, embedding, 'middle_block.0');
    if (depth < 0) return hidden;
    // Without blocks (SDXL's small ControlNets) it still has its projections.
    const attended = this.transformer(hidden, depth, selfAttentions.at('middle'), 'middle_block.1');
    return this.residualBlock(attended, embedding, 'middle_block.2');
  }

  residualBlock(x: Value, embedding: Value, path: string): Value {
    const { graph } = this;
    const { layers } = this.parts;
    let hidden = layers.conv2d(this.normalised(x, `${path}.in_layers.0`), `${path}.in_layers.2`, {
      padding: 1,
    });
    hidden = graph.addPerChannel(hidden, layers.linear(embedding, `${path}.emb_layers.1`));
    hidden = layers.conv2d(this.normalised(hidden, `${path}.out_layers.0`), `${path}.out_layers.3`, {
      padding: 1,
    });
    const sameChannels = x.shape[1] === hidden.shape[1];
    const skip = sameChannels ? x : layers.conv2d(x, `${path}.skip_connection`);
    return graph.within(path, () => graph.add(skip, hidden));
  }

  transformer(x: Value, depth: number, selfAttention: SelfAttention, path: string): Value {
    const { layers, config, context, joinPictures, changer } = this.parts;
    const attention = { selfAttention, joinPictures, changer };
    return spatialTransformer(layers, config, x, context, depth, attention, path);
  }

  normalised(x: Value, path: string): Value {
    return this.graph.activation(this.parts.layers.groupNorm(x, path, normEpsilon), 'silu');
  }
}
