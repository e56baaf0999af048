/** What operations are lowered with to ONNX Runtime's own operators. Tensors have the graph's order of axes. */
import type { Value } from '../../value.js';
import type { Weight } from '../../weight.js';
import { OnnxContext } from './context.js';
import type { Attributes, Domain } from './model.js';

export class PlainContext extends OnnxContext {
  private readonly weights = new Map<Weight, string>();

  /** A node of one of ONNX Runtime's own domains. */
  nodeIn(domain: Domain, operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.model.node(operator, inputs, { attributes, domain, layer: this.layer });
  }

  weight(weight: Weight): string {
    const known = this.weights.get(weight);
    if (known !== undefined) return known;
    const name = this.model.external({
      name: `w${this.weights.size}`,
      shape: weight.shape,
      fill: (into) => {
        weight.read(into);
      },
    });
    this.weights.set(weight, name);
    return name;
  }

  /** A weight's values in another shape. */
  reshaped(weight: Weight, shape: readonly number[]): string {
    return this.node('Reshape', [this.weight(weight), this.model.ints(shape)]);
  }

  /** N×T×C → C×N×T */
  channelsFirst(value: Value): string {
    return this.node('Transpose', [this.name(value)], { perm: [2, 0, 1] });
  }

  /** C×N×T → N×T×C */
  channelsLast(name: string): string {
    return this.node('Transpose', [name], { perm: [1, 2, 0] });
  }

  /** N×T ↔ T×N */
  swapped(name: string): string {
    return this.node('Transpose', [name], { perm: [1, 0] });
  }

  /** N×C×H×W ↔ C×N×H×W */
  swappedPictures(name: string): string {
    return this.node('Transpose', [name], { perm: [1, 0, 2, 3] });
  }

  /** N×T×(heads·d) as N×T×heads×d, its axes in another order. */
  splitHeads(value: Value, heads: number, perm: readonly number[]): string {
    const cut = this.node('Reshape', [this.name(value), this.model.ints([0, 0, heads, -1])]);
    return this.node('Transpose', [cut], { perm });
  }
}
