/** Positions that a network adds to its features, learned for one number of pixels (Swin's absolute position embedding). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { GraphBuilder, Value } from '../../compute/graph.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { valuesOf } from '../weights/weight-values.js';

const positionsKey = 'absolute_pos_embed';

export interface AbsolutePositions {
  /** Pixels of the only pictures that they fit, after padding. */
  readonly pixels: number;
  /** The same tokens with their positions added; `like` is the picture that they are of. */
  readonly added: (graph: GraphBuilder, tokens: Value, like: Value) => Value;
  /** The input that `added` makes. Throws `ModelError` where the padded picture has another number of pixels. */
  readonly input: (height: number, width: number) => Readonly<Record<string, Tensor>>;
}

/** Undefined where the file has none. */
export function readAbsolutePositions(weights: WeightSource): AbsolutePositions | undefined {
  if (!weights.has(positionsKey)) return undefined;
  const embedding = weights.weight(positionsKey);
  const [, pixels = 0, channels = 0] = embedding.shape;
  return {
    pixels,
    added: (graph, tokens, like) => {
      const [, , height, width] = like.shape;
      const positions = graph.input('positions', [1, channels, height!, width!]);
      return graph.add(tokens, graph.spatialToTokens(positions));
    },
    input(height, width) {
      if (height * width !== pixels) {
        const side = Math.floor(Math.sqrt(pixels));
        throw new ModelError(
          `${weights.path} has positions for pictures of ${side}×${side} alone (${positionsKey}), not for ${height}×${width}`,
        );
      }
      const values = valuesOf(embedding);
      const planes = tensor([1, channels, height, width]);
      planes.data.forEach((_, at) => {
        planes.data[at] = values[(at % pixels) * channels + Math.floor(at / pixels)]!;
      });
      return { positions: planes };
    },
  };
}
