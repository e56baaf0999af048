/**
 * The compute graph: layers in the order in which data flows, shapes checked as each is added. It knows tensors and layers, not
 * diffusion; backends lower it (`onnx/` for ONNX Runtime, `cuda/` for NVIDIA's cards).
 *
 * Layouts are torch's: images are N×C×H×W, token sequences N×T×C, convolution kernels O×I×kH×kW, linear weights O×I.
 */
import type { Shape } from './dim.js';
import { GraphError, type NodeBuilder } from './node-builder.js';
import { operationBuilders, type Operation, type OperationMethods } from './operation.js';
import type { DType, Value } from './value.js';

export type { Activation } from './epilogue.js';
export { GraphError } from './node-builder.js';
export type { Operation } from './operation.js';
export type { DType, Padding, Value } from './value.js';

export interface GraphNode {
  /** The layer's path, as in `input_blocks.1.1.transformer_blocks.0.attn1`. */
  readonly layer: string;
  readonly operation: Operation;
  readonly output: Value;
}

export interface GraphInput {
  readonly name: string;
  readonly value: Value;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  /** In an order in which every operand comes before its use. */
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly GraphInput[];
  /**
   * Whether a backend may round operands of its products to bfloat16 when it is asked to (precision bf16): true of networks that
   * run so often that it pays.
   */
  readonly mayRound: boolean;
  /** `wide`: values may be too large for float16. */
  readonly range?: 'wide';
}

type GraphOptions = Partial<Pick<Graph, 'mayRound' | 'range'>>;

/** Inputs, nodes and outputs so far; the current layer's path is in every node and error. */
class GraphParts implements NodeBuilder<Operation> {
  readonly inputs: GraphInput[] = [];
  readonly nodes: GraphNode[] = [];
  readonly outputs: GraphInput[] = [];
  readonly path: string[] = [];
  private values = 0;

  constructor(readonly name: string) {}

  value(shape: Shape, dtype: DType): Value {
    return { id: this.values++, shape, dtype };
  }

  emit(operation: Operation, shape: Shape, dtype: DType = 'float32'): Value {
    const output = this.value(shape, dtype);
    this.nodes.push({ layer: this.path.join('.'), operation, output });
    return output;
  }

  check(condition: boolean, message: string): asserts condition {
    if (!condition) throw this.error(message);
  }

  error(message: string): GraphError {
    return new GraphError(`${this.name}${this.path.map((part) => `.${part}`).join('')}: ${message}`);
  }
}

class Builder {
  private readonly parts: GraphParts;

  constructor(
    name: string,
    private readonly options: GraphOptions = {},
  ) {
    this.parts = new GraphParts(name);
    for (const [method, build] of operationBuilders()) {
      const add = build as (graph: GraphParts, ...args: unknown[]) => Value;
      Object.defineProperty(this, method, { value: (...args: unknown[]) => add(this.parts, ...args) });
    }
  }

  /** Builds the layers of `body` under the path segment `layer`. */
  within<Result>(layer: string, body: () => Result): Result {
    const { path } = this.parts;
    path.push(layer);
    try {
      return body();
    } finally {
      path.pop();
    }
  }

  input(name: string, shape: Shape, dtype: DType = 'float32'): Value {
    const value = this.parts.value(shape, dtype);
    this.parts.inputs.push({ name, value });
    return value;
  }

  output(name: string, value: Value): void {
    this.parts.outputs.push({ name, value });
  }

  build(): Graph {
    const { name, inputs, nodes, outputs } = this.parts;
    const { mayRound = false, range } = this.options;
    return { name, inputs, nodes, outputs, mayRound, ...(range === undefined ? {} : { range }) };
  }
}

/** A graph under construction: `within`, `input`, `output` and `build`, and a method for each operation. */
export type GraphBuilder = Builder & OperationMethods;
/** The constructor gives an object every operation's method, which its type can't say. */
export const GraphBuilder = Builder as new (name: string, options?: GraphOptions) => GraphBuilder;
