/**
 * What operations are lowered with for our kernels. Every tensor is channel-major: C×N×H×W, C×N×T, C×N; the graph's N×C×H×W,
 * N×T×C and N×C are transposed where values enter and leave.
 */
import type { Value } from '../../value.js';
import type { Weight } from '../../weight.js';
import { OnnxContext } from './context.js';
import type { Attributes } from './model.js';
import { extents, join } from './nodes.js';
import { WeightTable, widened } from './weight-table.js';

/** Axes of a graph's value in channel-major order, by rank; vectors and scalars stay as they are. */
const TO_CHANNEL_MAJOR: Readonly<Record<number, readonly number[]>> = {
  2: [1, 0],
  3: [2, 0, 1],
  4: [1, 0, 2, 3],
};

export class ChannelMajorContext extends OnnxContext {
  readonly weights = new WeightTable();
  private readonly parts = new Map<number, readonly string[]>();

  /** `value` is its parts side by side along the channels, for operators that take them so. */
  bindParts(value: Value, parts: readonly Value[]): void {
    this.parts.set(
      value.id,
      parts.map((part) => this.name(part)),
    );
  }

  /** The names of a value's parts; of most there is one, itself. */
  partsOf(value: Value): readonly string[] {
    return this.parts.get(value.id) ?? [this.name(value)];
  }

  /** A node of our kernels; operands left out at the end are not written. */
  kernel(operator: string, inputs: readonly (string | undefined)[], attributes: Attributes): string {
    const given = inputs.map((input) => input ?? '');
    while (given.at(-1) === '') given.pop();
    return this.model.node(operator, given, { attributes, layer: this.layer, domain: 'latentd' });
  }

  /** A weight's values as a constant, in another shape where one is given. */
  constant(weight: Weight, shape: readonly number[] = weight.shape): string {
    return this.model.floatTensor(shape, widened(weight));
  }

  /** A vector of the channels' beside a value of rank `rank`. */
  alongChannels(weight: Weight, rank: number): string {
    return this.constant(weight, [weight.shape[0]!, ...new Array<number>(rank - 1).fill(1)]);
  }

  /** Transposes a tensor in the graph's order of axes. */
  fromGraphOrder(name: string, rank: number): string {
    const order = TO_CHANNEL_MAJOR[rank];
    return order === undefined ? name : this.node('Transpose', [name], { perm: order });
  }

  toGraphOrder(name: string, rank: number): string {
    const order = TO_CHANNEL_MAJOR[rank];
    if (order === undefined) return name;
    return this.node('Transpose', [name], { perm: order.map((_, axis) => order.indexOf(axis)) });
  }

  /** Runs `body` on a picture turned to the graph's order, for operators that want that: for one picture it costs a copy. */
  inGraphOrder(picture: Value, body: (x: string) => string): string {
    return this.fromGraphOrder(body(this.toGraphOrder(this.name(picture), 4)), 4);
  }

  /** Where the graph's axis `axis` of a value of rank `rank` lies. */
  axis(axis: number, rank: number): number {
    const order = TO_CHANNEL_MAJOR[rank];
    return order === undefined ? axis : order.indexOf(axis);
  }

  /** (heads·d)×N×T as heads×d×N×T. */
  splitHeads(value: Value, heads: number): string {
    const name = this.name(value);
    const shape = join(this, [heads, Number(value.shape[2]) / heads], extents(this, name, 1, 3));
    return this.node('Reshape', [name, shape]);
  }
}
