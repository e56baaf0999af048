/** The UNet of the openaimodel family, layer by layer (ComfyUI comfy/ldm/modules/diffusionmodules/openaimodel.py, UNetModel). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { Layers } from '../programs/layers.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { UnetConfig } from './config.js';
import { freeUScaled } from './free-u.js';
import { UnetEncoder } from './encoder.js';
import { pictureAttention } from './picture-attention.js';
import { SelfAttentions } from './self-attention.js';
import { plainVariant, type UnetVariant } from './variant.js';

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
  private readonly encoder: UnetEncoder;
  private readonly selfAttentions: SelfAttentions;
  private readonly controlledPlaces = new Set<string>();

  constructor(
    private readonly config: UnetConfig,
    private readonly layers: Layers,
    context: Value,
    private readonly variant: UnetVariant,
  ) {
    this.selfAttentions = new SelfAttentions(layers, variant);
    const joinPictures = pictureAttention(layers.graph, variant.pictures);
    this.encoder = new UnetEncoder({
      config,
      layers,
      context,
      selfAttentions: this.selfAttentions,
      joinPictures,
    });
  }

  denoise(x: Value, timeEmbedding: Value, adm: Value | undefined): Value {
    const { encoder } = this;
    const { graph } = this.layers;
    let embedding = encoder.embed(timeEmbedding, 'time_embed.0', 'time_embed.2');
    if (adm !== undefined) {
      embedding = graph.add(embedding, encoder.embed(adm, 'label_emb.0.0', 'label_emb.0.2'));
    }
    const activated = graph.activation(embedding, 'silu');
    const skips = encoder.down(x, activated, (yielded, block) => this.controlled(yielded, `block.${block}`));
    const bottom = this.controlled(encoder.middle(skips.at(-1)!, activated), 'middle');
    const top = this.up(bottom, skips, activated);
    this.requirePlaces();
    return this.layers.conv2d(encoder.normalised(top, 'out.0'), 'out.2', { padding: 1 });
  }

  private up(x: Value, skips: readonly Value[], embedding: Value): Value {
    const { residualBlocks, transformerDepthOutput } = this.config;
    const { encoder } = this;
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
        hidden = encoder.residualBlock(hidden, embedding, `${path}.0`);
        const depth = transformerDepthOutput[index] ?? 0;
        if (depth > 0) {
          hidden = encoder.transformer(hidden, depth, this.selfAttentions.at('side'), `${path}.1`);
        }
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
}
