/**
 * What lowering for our kernels has at hand. Every tensor is channel-major: C×N×H×W, C×N×T, C×N; the graph's N×C×H×W, N×T×C
 * and N×C are transposed where values enter and leave.
 */
import type { Value } from '../../graph.js';
import type { Attributes, OnnxModel } from '../model.js';
import { WeightTable } from './weight-table.js';

/** Axes of a graph's value in channel-major order, by rank; vectors and scalars stay as they are. */
const TO_CHANNEL_MAJOR: Readonly<Record<number, readonly number[]>> = {
  2: [1, 0],
  3: [2, 0, 1],
  4: [1, 0, 2, 3],
};

export class ChannelMajorContext {
  readonly weights = new WeightTable();
  private readonly names = new Map<number, string>();
  private readonly parts = new Map<number, readonly string[]>();
  private layer = '';

  constructor(readonly model: OnnxModel) {}

  /** Nodes added from here on carry the layer's path in their names. */
  enter(layer: string): void {
    this.layer = layer;
  }

  bind(value: Value, name: string): void {
    this.names.set(value.id, name);
  }

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

  name(value: Value): string {
    const name = this.names.get(value.id);
    if (name === undefined) throw new Error(`value ${value.id} is used before it is made`);
    return name;
  }

  /** A node of ONNX's own operators. */
  node(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.model.node(operator, inputs, { attributes, layer: this.layer });
  }

  /** A node of our kernels; operands left out at the end are not written. */
  kernel(operator: string, inputs: readonly (string | undefined)[], attributes: Attributes): string {
    const given = inputs.map((input) => input ?? '');
    while (given.at(-1) === '') given.pop();
    return this.model.node(operator, given, { attributes, layer: this.layer, domain: 'latentd' });
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

  /** Where the graph's axis `axis` of a value of rank `rank` lies. */
  axis(axis: number, rank: number): number {
    const order = TO_CHANNEL_MAJOR[rank];
    return order === undefined ? axis : order.indexOf(axis);
  }
}
