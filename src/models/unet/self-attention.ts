/** How the tokens of a transformer block attend to each other, as a UNet's variant has it. */
import { SymbolicDim } from '../../compute/dim.js';
import type { Value } from '../../compute/graph.js';
import type { Layers } from '../layers.js';
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
  ) {}

  /** That of the blocks at a level; the first of those in the middle is the one that is recorded. */
  readonly at =
    (level: number, place: 'side' | 'middle'): SelfAttention =>
    (tokens, heads, path) => {
      const { tiled, merged, recordsAttention } = this.variant;
      const index = this.block++;
      if (recordsAttention && place === 'middle' && path.endsWith('.transformer_blocks.0.attn1')) {
        return this.recorded(tokens, heads, path, tiled ? index : undefined);
      }
      if (tiled) return this.tiled(tokens, heads, path, index);
      if (merged && level === 0) return this.merged(tokens, heads, path, index);
      return this.attend(tokens, tokens, heads, path);
    };

  private attend(asking: Value, asked: Value, heads: number, path: string): Value {
    const { graph } = this.layers;
    const [query, key, value] = this.project(asking, asked, path);
    const mixed = graph.within(path, () => graph.attention(query, key, value, heads));
    return this.layers.linear(mixed, `${path}.to_out.0`);
  }

  private tiled(tokens: Value, heads: number, path: string, index: number): Value {
    const { graph } = this.layers;
    const tiles = graph.input(`tiles.${index}`, [4], 'int32');
    const [query, key, value] = this.project(tokens, tokens, path);
    const mixed = graph.within(path, () => graph.tiledAttention(query, key, value, heads, tiles));
    return this.layers.linear(mixed, `${path}.to_out.0`);
  }

  private merged(tokens: Value, heads: number, path: string, index: number): Value {
    const { graph } = this.layers;
    const order = graph.input(`order.${index}`, [tokens.shape[1]!], 'int32');
    const counts = (this.counts ??= graph.input('merge_counts', [2], 'int32'));
    const groups = graph.within(path, () => graph.tokenGroups(tokens, order, counts));
    const left = SymbolicDim.symbol('merged');
    const asking = graph.within(path, () => graph.mergeTokens(tokens, groups, counts, left));
    const attended = this.attend(asking, tokens, heads, path);
    return graph.within(path, () => graph.unmergeTokens(attended, groups));
  }

  private recorded(tokens: Value, heads: number, path: string, tiles: number | undefined): Value {
    const { graph } = this.layers;
    // Every block has tiles, and here they are the whole picture.
    if (tiles !== undefined) graph.input(`tiles.${tiles}`, [4], 'int32');
    const [query, key, value] = this.project(tokens, tokens, path);
    const mixed = graph.within(path, () => {
      graph.output('attention', graph.attentionReceived(query, key, heads));
      return graph.attention(query, key, value, heads);
    });
    return this.layers.linear(mixed, `${path}.to_out.0`);
  }

  private project(asking: Value, asked: Value, path: string): readonly [Value, Value, Value] {
    return [
      this.layers.linear(asking, `${path}.to_q`),
      this.layers.linear(asked, `${path}.to_k`),
      this.layers.linear(asked, `${path}.to_v`),
    ];
  }
}
