/** Pictures beside the text in a UNet's cross-attention: which blocks there are, and how their graph grows. */
import type { NamedTensors } from '../../compute/backend.js';
import { SymbolicDim } from '../../compute/dim.js';
import type { GraphBuilder, Value } from '../../compute/graph.js';
import type { BlockPictures, CrossAttentionBlock, PictureEvaluation } from '../denoiser/attended-pictures.js';
import { changesOfKind, type ModelChange } from '../denoiser/changes.js';
import type { UnetConfig } from './config.js';
import type { FeatureSizes } from './feature-sizes.js';

/** Of one change: the blocks that attend to its pictures, by their order of execution, and whether masks say where. */
export interface PictureBlocks {
  readonly blocks: readonly number[];
  readonly isMasked: boolean;
}

/** What a cross-attention yielded, with what pictures add to it. */
export type JoinPictures = (query: Value, mixed: Value, heads: number) => Value;

/** Grows one block after the other, in order of execution. Inputs `pictures.CHANGE.BLOCK.key`, `.value` and `.mask`. */
export function pictureAttention(graph: GraphBuilder, changes: readonly PictureBlocks[]): JoinPictures {
  let block = 0;
  return (query, mixed, heads) => {
    const index = block++;
    return changes.reduce((sum, { blocks, isMasked }, change) => {
      if (!blocks.includes(index)) return sum;
      const name = `pictures.${change}.${index}`;
      const [rows, tokens, width] = query.shape as [Value['shape'][0], Value['shape'][0], Value['shape'][0]];
      const words = SymbolicDim.symbol(`pictures.${change}`);
      const key = graph.input(`${name}.key`, [rows, words, width]);
      const value = graph.input(`${name}.value`, [rows, words, width]);
      const added = graph.attention(query, key, value, heads);
      if (!isMasked) return graph.add(sum, added);
      return graph.add(sum, graph.multiply(added, graph.input(`${name}.mask`, [rows, tokens, 1])));
    }, mixed);
  };
}

/** What the changes' pictures are in one evaluation. */
export async function attendPictures(
  config: UnetConfig,
  changes: readonly ModelChange[],
  sizes: FeatureSizes,
  evaluation: Omit<PictureEvaluation, 'blocks'>,
): Promise<{ readonly pictures: readonly PictureBlocks[]; readonly inputs: NamedTensors }> {
  const blocks = crossAttentionBlocks(config, sizes);
  const inputs: Record<string, BlockPictures['key']> = {};
  const pictures: PictureBlocks[] = [];
  for (const [change, { pictures: attended }] of changesOfKind(changes, 'pictures').entries()) {
    const given = await attended.attend({ ...evaluation, blocks });
    const present = given.flatMap((each, index) => (each === undefined ? [] : [[index, each] as const]));
    for (const [index, { key, value, mask }] of present) {
      const name = `pictures.${change}.${index}`;
      Object.assign(inputs, { [`${name}.key`]: key, [`${name}.value`]: value });
      if (mask !== undefined) inputs[`${name}.mask`] = mask;
    }
    const isMasked = present.some(([, { mask }]) => mask !== undefined);
    pictures.push({ blocks: present.map(([index]) => index), isMasked });
  }
  return { pictures, inputs };
}

/** A UNet's blocks that attend to the text, in order of execution. */
function crossAttentionBlocks(
  { transformerDepth, transformerDepthMiddle, transformerDepthOutput }: UnetConfig,
  { input, middle, output }: FeatureSizes,
): CrossAttentionBlock[] {
  const sides = [
    ['input', input, transformerDepth],
    ['middle', [middle], [Math.max(transformerDepthMiddle, 0)]],
    ['output', output, transformerDepthOutput],
  ] as const;
  const transformers = sides.flatMap(([side, sizes, depths]) =>
    sizes.flatMap(({ height, width }, index) => {
      const depth = depths[index] ?? 0;
      return depth === 0 ? [] : [{ side, depth, tokens: height * width }];
    }),
  );
  const blocks = transformers.flatMap(({ side, depth, tokens }, transformer) =>
    Array.from({ length: depth }, () => ({ side, tokens, transformer, transformers: transformers.length })),
  );
  const inMiddle = blocks.filter(({ side }) => side === 'middle').length;
  const before = blocks.findIndex(({ side }) => side === 'middle');
  return blocks.map((block, index) => {
    const module =
      before === -1 || block.side === 'input'
        ? index
        : block.side === 'output'
          ? index - inMiddle
          : index - before + blocks.length - inMiddle;
    return { ...block, module };
  });
}
