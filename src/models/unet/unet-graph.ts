/** The UNet of the openaimodel family, layer by layer (ComfyUI comfy/ldm/modules/diffusionmodules/openaimodel.py, UNetModel). */
import { SymbolicDim, type Dim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { Layers } from '../programs/layers.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { UnetConfig } from './config.js';
import { BlockChanger } from './block-changes.js';
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
    const changer = new BlockChanger(layers.graph, variant.inBlocks);
    this.selfAttentions = new SelfAttentions(layers, variant, changer);
    const joinPictures = pictureAttention(layers.graph, variant.pictures);
    this.encoder = new UnetEncoder({
      config,
      layers,
      context,
      selfAttentions: this.selfAttentions,
      joinPictures,
      changer,
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
    const { skips, bottom } = encoder.down(x, activated, (yielded, block) => {
      const skip = this.shrunk(this.controlled(yielded, `block.${block}`), block, false);
      return { skip, next: this.shrunk(skip, block, true) };
    });
    const middle = this.controlled(encoder.middle(bottom, activated), 'middle');
    const top = this.up(middle, skips, activated);
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
          const grown = this.grown(hidden, skip, index);
          return graph.concat(freeUScaled(graph, variant.freeU, config, grown, skip), 1);
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

  private shrunk(x: Value, block: number, afterSkip: boolean): Value {
    const { graph } = this.layers;
    return this.variant.shrinks.reduce((shrunk, shrink, index) => {
      if (shrink.block !== block || shrink.afterSkip !== afterSkip) return shrunk;
      const [, , height, width] = shrunk.shape as [Dim, Dim, Dim, Dim];
      const side = (name: string): Dim => SymbolicDim.symbol(`shrunk.${index}.${name}`);
      const rows = graph.input(`shrink.${index}.rows`, [1, 1, side('height'), height]);
      return graph.resample(
        shrunk,
        rows,
        graph.input(`shrink.${index}.columns`, [1, 1, width, side('width')]),
      );
    }, x);
  }

  /** ComfyUI's patches of output blocks come in the order of their nodes; FreeU's are taken to come later. */
  private grown(x: Value, skip: Value, block: number): Value {
    if (!this.variant.growing.includes(block)) return x;
    const { graph } = this.layers;
    const rows = graph.input(`grow.${block}.rows`, [1, 1, skip.shape[2]!, x.shape[2]!]);
    return graph.resample(x, rows, graph.input(`grow.${block}.columns`, [1, 1, x.shape[3]!, skip.shape[3]!]));
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
