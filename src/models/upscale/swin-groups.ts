/** The body that SwinIR and its kin share: groups of transformer blocks on tokens, each group beside a way around it. */
import type { Value } from '../../compute/graph.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { AbsolutePositions } from './absolute-positions.js';
import { sequenceLength, type PictureLayers } from './network.js';
import { regionsOf, type WindowLayout } from './windows.js';

/** Where a block stands, and which windows it looks through. */
export interface BlockPlace {
  readonly path: string;
  /** The picture that its tokens are of. */
  readonly like: Value;
  readonly layout: WindowLayout;
  /** Of the rolled picture; undefined where it isn't rolled. */
  readonly regions: Value | undefined;
}

export interface SwinBody {
  /** Its shift is what every second block rolls by. */
  readonly layout: WindowLayout;
  readonly positions?: AbsolutePositions | undefined;
  /** The first tokens, before their norm. */
  readonly embed: (x: Value) => Value;
  readonly block: (tokens: Value, place: BlockPlace) => Value;
  /** What comes after a group's blocks, as tokens again; `path` is the group's. */
  readonly after: (tokens: Value, path: string) => Value;
}

export function swinGroups(nn: PictureLayers, weights: WeightSource, x: Value, body: SwinBody): Value {
  const { graph } = nn;
  const { layout, positions } = body;
  const regions = regionsOf(graph, x, layout);
  const still: WindowLayout = { ...layout, shift: [0, 0] };
  let tokens = body.embed(x);
  if (weights.has('patch_embed.norm.weight')) tokens = nn.layerNorm(tokens, 'patch_embed.norm');
  if (positions !== undefined) tokens = positions.added(graph, tokens, x);
  for (let layer = 0; layer < sequenceLength(weights, 'layers'); layer++) {
    const blocks = `layers.${layer}.residual_group.blocks`;
    let inner = tokens;
    for (let block = 0; block < sequenceLength(weights, blocks); block++) {
      const rolled = block % 2 === 1 && layout.shift[0] > 0;
      const windows = rolled ? { layout, regions } : { layout: still, regions: undefined };
      inner = body.block(inner, { path: `${blocks}.${block}`, like: x, ...windows });
    }
    tokens = graph.add(body.after(inner, `layers.${layer}`), tokens);
  }
  return graph.tokensToSpatial(nn.layerNorm(tokens, 'norm'), x);
}
