/** The UNet of the openaimodel family, layer by layer (ComfyUI comfy/ldm/modules/diffusionmodules/openaimodel.py, UNetModel). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { Layers } from '../programs/layers.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { UnetConfig } from './config.js';
import { freeUScaled } from './free-u.js';
import { SelfAttentions, type SelfAttention } from './self-attention.js';
import { spatialTransformer } from './spatial-transformer.js';
import { plainVariant, type UnetVariant } from './variant.js';

const normEpsilon = 1e-5;

/**
 * One evaluation of the denoiser. Inputs: `x` N×Cin×H×W, `time_embedding` N×C of the timesteps, `context` N×T×contextDim,
 * and `adm` N×admChannels where the model has a label embedding. Output: `out` N×Cout×H×W. A variant has more of both.
 */
export function buildUnetGraph(
  config: UnetConfig,
  weights: WeightSource,
  variant: UnetVariant = plainVariant,
): Graph {
  const graph = new GraphBuilder('unet', { mayRound: true });
  const [n, h, w, t] = ['N', 'H', 'W', 'T'].map((name) => SymbolicDim.symbol(name)) as [
    SymbolicDim,
    SymbolicDim,
    SymbolicDim,
    SymbolicDim,
  ];
  const x = graph.input('x', [n, config.inChannels, h, w]);
  const timeEmbedding = graph.input('time_embedding', [n, config.modelChannels]);
  const context = graph.input('context', [n, t, config.contextDim]);
  const adm = config.admChannels === undefined ? undefined : graph.input('adm', [n, config.admChannels]);

  const unet = new Unet(config, new Layers(graph, weights), context, variant);
  graph.output('out', unet.denoise(x, timeEmbedding, adm));
  return graph.build();
}

class Unet {
  private readonly selfAttentions: SelfAttentions;
  private readonly controlledPlaces = new Set<string>();

  constructor(
    private readonly config: UnetConfig,
    private readonly layers: Layers,
    private readonly context: Value,
    private readonly variant: UnetVariant,
  ) {
    this.selfAttentions = new SelfAttentions(layers, variant);
  }

  denoise(x: Value, timeEmbedding: Value, adm: Value | undefined): Value {
    const { graph } = this.layers;
    let embedding = this.embed(timeEmbedding, 'time_embed.0', 'time_embed.2');
    if (adm !== undefined) {
      embedding = graph.add(embedding, this.embed(adm, 'label_emb.0.0', 'label_emb.0.2'));
    }
    // Each residual block begins by its own SiLU of the embedding; it is the same one.
    const activated = graph.activation(embedding, 'silu');
    const skips = this.down(x, activated);
    const bottom = this.controlled(this.middle(skips.at(-1)!, activated), 'middle');
    const top = this.up(bottom, skips, activated);
    this.requirePlaces();
    return this.layers.conv2d(this.normalised(top, 'out.0'), 'out.2', { padding: 1 });
  }

  private embed(x: Value, first: string, second: string): Value {
    const hidden = this.layers.graph.activation(this.layers.linear(x, first), 'silu');
    return this.layers.linear(hidden, second);
  }

  /** What each input block yields, for the output block of the same size. */
  private down(x: Value, embedding: Value): Value[] {
    const { residualBlocks, transformerDepth } = this.config;
    const depths = [...transformerDepth];
    let hidden = this.layers.conv2d(x, 'input_blocks.0.0', { padding: 1 });
    hidden = this.controlled(hidden, 'block.0');
    const skips = [hidden];
    residualBlocks.forEach((count, level) => {
      for (let block = 0; block < count; block++) {
        const path = `input_blocks.${skips.length}`;
        hidden = this.residualBlock(hidden, embedding, `${path}.0`);
        hidden = this.transformer(hidden, depths.shift() ?? 0, this.selfAttentions.at('side'), `${path}.1`);
        hidden = this.controlled(hidden, `block.${skips.length}`);
        skips.push(hidden);
      }
      if (level === residualBlocks.length - 1) return;
      hidden = this.layers.conv2d(hidden, `input_blocks.${skips.length}.0.op`, { stride: 2, padding: 1 });
      hidden = this.controlled(hidden, `block.${skips.length}`);
      skips.push(hidden);
    });
    return skips;
  }

  private middle(x: Value, embedding: Value): Value {
    const depth = this.config.transformerDepthMiddle;
    if (depth < -1) return x;
    const hidden = this.residualBlock(x, embedding, 'middle_block.0');
    if (depth < 0) return hidden;
    const selfAttention = this.selfAttentions.at('middle');
    const attended = this.transformer(hidden, depth, selfAttention, 'middle_block.1');
    return this.residualBlock(attended, embedding, 'middle_block.2');
  }

  private up(x: Value, skips: readonly Value[], embedding: Value): Value {
    const { residualBlocks, transformerDepthOutput } = this.config;
    const { graph } = this.layers;
    const waiting = [...skips];
    let hidden = x;
    let index = 0;
    for (let level = residualBlocks.length - 1; level >= 0; level--) {
      const blocks = residualBlocks[level]! + 1;
      for (let block = 0; block < blocks; block++, index++) {
        const path = `output_blocks.${index}`;
        hidden = graph.within(path, () => {
          const { variant, config } = this;
          const skip = this.controlled(waiting.pop()!, `skip.${waiting.length}`);
          return graph.concat(freeUScaled(graph, variant.freeU, config, hidden, skip), 1);
        });
        hidden = this.residualBlock(hidden, embedding, `${path}.0`);
        const depth = transformerDepthOutput[index] ?? 0;
        hidden = this.transformer(hidden, depth, this.selfAttentions.at('side'), `${path}.1`);
        if (level > 0 && block === blocks - 1) {
          // Sizes that don't halve evenly grow back to the size of the skip that comes next.
          const enlarged = graph.upsampleNearest(hidden, waiting.at(-1)!);
          hidden = this.layers.conv2d(enlarged, `${path}.${depth > 0 ? 2 : 1}.conv`, { padding: 1 });
        }
      }
    }
    return hidden;
  }

  /** With the residual that a control has for this place. */
  private controlled(x: Value, place: string): Value {
    if (!this.variant.control.includes(place)) return x;
    this.controlledPlaces.add(place);
    const { graph } = this.layers;
    return graph.add(x, graph.input(`control.${place}`, x.shape));
  }

  private requirePlaces(): void {
    const unknown = this.variant.control.find((place) => !this.controlledPlaces.has(place));
    if (unknown === undefined) return;
    throw new ModelError(
      `this UNet has no place ${unknown} for what a control adds: it is made for another model`,
    );
  }

  private residualBlock(x: Value, embedding: Value, path: string): Value {
    const { graph } = this.layers;
    let hidden = this.layers.conv2d(this.normalised(x, `${path}.in_layers.0`), `${path}.in_layers.2`, {
      padding: 1,
    });
    hidden = graph.addPerChannel(hidden, this.layers.linear(embedding, `${path}.emb_layers.1`));
    hidden = this.layers.conv2d(this.normalised(hidden, `${path}.out_layers.0`), `${path}.out_layers.3`, {
      padding: 1,
    });
    const sameChannels = x.shape[1] === hidden.shape[1];
    const skip = sameChannels ? x : this.layers.conv2d(x, `${path}.skip_connection`);
    return graph.within(path, () => graph.add(skip, hidden));
  }

  private transformer(x: Value, depth: number, selfAttention: SelfAttention, path: string): Value {
    if (depth === 0) return x;
    return spatialTransformer(this.layers, this.config, x, this.context, depth, selfAttention, path);
  }

  private normalised(x: Value, path: string): Value {
    return this.layers.graph.activation(this.layers.groupNorm(x, path, normEpsilon), 'silu');
  }
}
