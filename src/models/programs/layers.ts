import type { GraphBuilder, Padding, Value } from '../../compute/graph.js';
import type { WeightSource } from '../weights/weight-source.js';
import { rowSlice } from '../weights/weight-views.js';

/** The layers of torch.nn, each by the path under which a checkpoint keeps its `weight` and `bias`. */
export class Layers<Builder extends GraphBuilder = GraphBuilder> {
  constructor(
    readonly graph: Builder,
    private readonly weights: WeightSource,
  ) {}

  conv2d(
    x: Value,
    path: string,
    options: { readonly stride?: number; readonly padding?: number | Padding } = {},
  ): Value {
    return this.graph.within(path, () => this.graph.conv2d(x, this.weight(path), this.bias(path), options));
  }

  linear(x: Value, path: string): Value {
    return this.graph.within(path, () => this.graph.linear(x, this.weight(path), this.bias(path)));
  }

  /** Queries, keys and values that a checkpoint keeps as one layer, whose width is that of `x`. */
  fused(x: Value, path: string): readonly [Value, Value, Value] {
    const [weight, bias] = [this.weight(path), this.bias(path)];
    const width = weight.shape[1]!;
    return this.graph.within(path, () => {
      const part = (index: number): Value =>
        this.graph.linear(
          x,
          rowSlice(weight, index * width, width),
          bias && rowSlice(bias, index * width, width),
        );
      return [part(0), part(1), part(2)];
    });
  }

  /** In 32 groups, as every normalisation of these families is. */
  groupNorm(x: Value, path: string, epsilon: number): Value {
    return this.graph.within(path, () =>
      this.graph.groupNorm(x, 32, this.weight(path), this.weights.weight(`${path}.bias`), epsilon),
    );
  }

  layerNorm(x: Value, path: string): Value {
    return this.graph.within(path, () =>
      this.graph.layerNorm(x, this.weight(path), this.weights.weight(`${path}.bias`)),
    );
  }

  private weight(path: string) {
    return this.weights.weight(`${path}.weight`);
  }

  private bias(path: string) {
    return this.weights.has(`${path}.bias`) ? this.weights.weight(`${path}.bias`) : undefined;
  }
}
