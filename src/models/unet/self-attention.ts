/** How the tokens of a transformer block attend to each other, as a UNet's variant has it. */
import { SymbolicDim } from '../../compute/dim.js';
import type { Value } from '../../compute/graph.js';
import type { Layers } from '../programs/layers.js';
import type { BlockChanger } from './block-changes.js';
import type { UnetVariant } from './variant.js';

/** Self-attention over N×T×C, with its layers under `path`. */
export type SelfAttention = (tokens: Value, heads: number, path: string) => Value;

/** Writes the self-attention of one transformer block after the other, in order of execution. */
export class SelfAttentions {
  private block = 0;
  private counts: Value | undefined;

  constructor(
    private readonly layers: Layers,
    private readonly variant: UnetVariant,
    private readonly changer: BlockChanger,
  ) {}

  /** The first of the blocks in the middle is the one that is recorded. */
  readonly at =
    (place: 'side' | 'middle'): SelfAttention =>
    (tokens, heads, path) => {
      const { graph } = this.layers;
      const index = this.block++;
      if (this.variant.keepsOwnValues && place === 'middle') {
        return this.layers.linear(
          this.layers.linear(this.changer.asked(tokens).value, `${path}.to_v`),
          `${path}.to_out.0`,
        );
      }
      const kind = this.variant.attention[index] ?? 'whole';
      if (kind === 'merged') return this.merged(tokens, heads, path, index);
      const tiles = kind === 'tiled' ? graph.input(`tiles.${index}`, [4], 'int32') : undefined;
      const isRecorded =
        this.variant.recordsAttention && place === 'middle' && path.endsWith('.transformer_blocks.0.attn1');
      return this.attend({ asking: tokens, asked: tokens, tiles, isRecorded }, heads, path);
    };

  private attend(
    {
      asking,
      asked,
      tiles,
      isRecorded = false,
    }: { asking: Value; asked: Value; tiles?: Value | undefined; isRecorded?: boolean },
    heads: number,
    path: string,
  ): Value {
    const { layers } = this;
    const { graph } = layers;
    const query = layers.linear(asking, `${path}.to_q`);
    const made = this.changer.asked(asked);
    const key = layers.linear(made.key, `${path}.to_k`);
    const value = layers.linear(made.value, `${path}.to_v`);
    const mixed = graph.within(path, () => {
      if (isRecorded) graph.output('attention', graph.attentionReceived(query, key, heads, tiles));
      return tiles === undefined
        ? graph.attention(query, key, value, heads)
        : graph.tiledAttention(query, key, value, heads, tiles);
    });
    return layers.linear(mixed, `${path}.to_out.0`);
  }

  private merged(tokens: Value, heads: number, path: string, index: number): Value {
    const { graph } = this.layers;
    const order = graph.input(`order.${index}`, [tokens.shape[1]!], 'int32');
    const counts = (this.counts ??= graph.input('merge_counts', [2], 'int32'));
    const groups = graph.within(path, () => graph.tokenGroups(tokens, order, counts));
    const left = SymbolicDim.symbol('merged');
    const asking = graph.within(path, () => graph.mergeTokens(tokens, groups, counts, left));
    const attended = this.attend({ asking, asked: tokens }, heads, path);
    return graph.within(path, () => graph.unmergeTokens(attended, groups));
  }
}
