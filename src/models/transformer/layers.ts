/** The layers that transformers are made of, each by the path under which a checkpoint keeps its weights. */
import type { GraphBuilder, Value } from '../../compute/graph.js';
import type { FusedActivation } from '../../compute/epilogue.js';
import type { Weight } from '../../compute/weight.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { rowSlice } from '../weights/weight-views.js';

/** What a norm whose code gives no epsilon adds in float32 (torch.finfo(torch.float32).eps). */
export const MACHINE_EPSILON = 2 ** -23;

export class TransformerLayers {
  constructor(
    readonly graph: GraphBuilder,
    readonly weights: WeightSource,
  ) {}

  /** Layers of a part: their paths are taken behind `path`. */
  within<Result>(path: string, body: () => Result): Result {
    return this.graph.within(path, body);
  }

  linear(x: Value, path: string): Value {
    return this.graph.linear(x, this.weights.weight(`${path}.weight`), this.bias(path));
  }

  /** Rows [start, start + count) of a layer: parts of a fused one are layers of their own. */
  linearRows(x: Value, path: string, start: number, count: number): Value {
    const bias = this.bias(path);
    return this.graph.linear(
      x,
      rowSlice(this.weights.weight(`${path}.weight`), start, count),
      bias && rowSlice(bias, start, count),
    );
  }

  /** A fused layer as parts of these widths, whose sum must be its own. Throws `ModelError`. */
  linearParts(x: Value, path: string, widths: readonly number[]): Value[] {
    const weight = this.weights.weight(`${path}.weight`);
    const sum = widths.reduce((total, width) => total + width, 0);
    if (weight.shape[0] !== sum) {
      throw new ModelError(
        `${this.weights.path}: ${path}.weight has ${weight.shape[0]} rows, its parts need ${sum}`,
      );
    }
    let start = 0;
    return widths.map((width) => {
      const part = this.linearRows(x, path, start, width);
      start += width;
      return part;
    });
  }

  /** `count` equal parts of a fused layer. */
  chunks(x: Value, path: string, count: number): Value[] {
    const rows = this.weights.weight(`${path}.weight`).shape[0]!;
    return this.linearParts(x, path, new Array<number>(count).fill(rows / count));
  }

  /** Two layers with an activation between them. */
  mlp(x: Value, first: string, second: string, activation: FusedActivation & ('silu' | 'gelu_tanh')): Value {
    return this.linear(this.graph.activation(this.linear(x, first), activation), second);
  }

  /** Layer normalisation without weights. */
  plainLayerNorm(x: Value, epsilon = 1e-6): Value {
    const width = x.shape.at(-1) as number;
    return this.graph.layerNorm(x, filled('ones', width, 1), filled('zeros', width, 0), epsilon);
  }

  /** Layer normalisation by weights. */
  layerNorm(x: Value, path: string, epsilon: number): Value {
    return this.graph.layerNorm(
      x,
      this.weights.weight(`${path}.weight`),
      this.weights.weight(`${path}.bias`),
      epsilon,
    );
  }

  /** Root mean square normalisation per head, by a weight called `.weight` or, in Black Forest Labs' files, `.scale`. */
  rmsNorm(x: Value, path: string, options: { readonly heads?: number; readonly epsilon: number }): Value {
    return this.graph.rmsNorm(x, this.normWeight(path), options);
  }

  normWeight(path: string): Weight {
    const scale = `${path}.scale`;
    return this.weights.weight(this.weights.has(scale) ? scale : `${path}.weight`);
  }

  private bias(path: string): Weight | undefined {
    const key = `${path}.bias`;
    return this.weights.has(key) ? this.weights.weight(key) : undefined;
  }
}

function filled(name: string, width: number, value: number): Weight {
  return { name, shape: [width], read: (into) => void into.fill(value) };
}
