/** What an operation's lowering has at hand: the model under construction and the names of the values made so far. */
import type { Operation, Value } from '../../graph.js';
import type { Weight } from '../../weight.js';
import type { Attributes, Domain, OnnxModel } from '../model.js';

export type OperationOf<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

/** Lowers one operation and returns the name of its result. */
export type Lowering<Kind extends Operation['kind']> = (
  operation: OperationOf<Kind>,
  context: LoweringContext,
) => string;

export class LoweringContext {
  private readonly names = new Map<number, string>();
  private readonly weights = new Map<Weight, string>();
  private layer = '';

  constructor(readonly model: OnnxModel) {}

  /** Nodes added from here on carry the layer's path in their names. */
  enter(layer: string): void {
    this.layer = layer;
  }

  bind(value: Value, name: string): void {
    this.names.set(value.id, name);
  }

  name(value: Value): string {
    const name = this.names.get(value.id);
    if (name === undefined) throw new Error(`value ${value.id} is used before it is made`);
    return name;
  }

  node(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.model.node(operator, inputs, { attributes, layer: this.layer });
  }

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

  /** The extents of axes [from, to) of `x`, as an int64 vector. */
  extents(x: string, from: number, to: number): string {
    return this.node('Shape', [x], { start: from, end: to });
  }

  /** Joins int64 vectors, given by name or as constants. */
  joinExtents(...parts: readonly (string | readonly number[])[]): string {
    const names = parts.map((part) => (typeof part === 'string' ? part : this.model.ints(part)));
    return this.node('Concat', names, { axis: 0 });
  }
}
