/** What operations are lowered to ONNX with, whichever order their tensors have. */
import type { Value } from '../../value.js';
import type { Attributes, OnnxModel } from './model.js';
import type { NodeWriter } from './nodes.js';

export class OnnxContext implements NodeWriter {
  private readonly names = new Map<number, string>();
  protected layer = '';

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

  /** A node of ONNX's own operators. */
  node(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.model.node(operator, inputs, { attributes, layer: this.layer });
  }
}
