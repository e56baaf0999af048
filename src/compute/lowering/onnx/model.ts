/** An ONNX model under construction: nodes, initialisers and typed inputs and outputs, and its protobuf form. */
import type { Shape } from '../../dim.js';
import type { DType } from '../../value.js';
import { ProtoWriter } from './protobuf.js';

export type AttributeValue = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Where an operator is defined: ONNX itself, or ONNX Runtime's own set. */
export type Domain = '' | 'com.microsoft' | 'com.microsoft.nchwc' | 'latentd';

interface NodeOptions {
  readonly attributes?: Attributes;
  readonly domain?: Domain;
  readonly layer?: string;
}

interface ModelNode {
  readonly operator: string;
  readonly domain: Domain;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A parameter whose values are handed to ONNX Runtime beside the model. */
export interface ExternalInitializer {
  readonly name: string;
  readonly shape: readonly number[];
  /** Writes the float32 values. */
  readonly fill: (into: Float32Array) => void;
}

interface InlineInitializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int64';
  readonly bytes: Uint8Array;
}

const IR_VERSION = 9;
const OPSETS: Readonly<Record<Domain, number>> = {
  '': 20,
  'com.microsoft': 1,
  'com.microsoft.nchwc': 1,
  latentd: 1,
};
const ELEMENT_TYPE = { float32: 1, int32: 6, int64: 7 } as const;
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;
const DATA_LOCATION_EXTERNAL = 1;

export class OnnxModel {
  private readonly nodes: ModelNode[] = [];
  private readonly ports = { inputs: [] as Port[], outputs: [] as Port[] };
  private readonly constants = new Map<string, InlineInitializer>();
  readonly externals: ExternalInitializer[] = [];
  private results = 0;

  constructor(private readonly name: string) {}

  input(name: string, dtype: DType, shape: Shape): string {
    this.ports.inputs.push({ name, dtype, shape });
    return name;
  }

  /** Declares `value` as the graph's output `name`. */
  output(name: string, value: string, dtype: DType, shape: Shape): void {
    this.nodes.push({
      operator: 'Identity',
      domain: '',
      name: `output ${name}`,
      inputs: [value],
      outputs: [name],
      attributes: {},
    });
    this.ports.outputs.push({ name, dtype, shape });
  }

  /** Adds a node with one output and returns the output's name. An empty input name leaves an optional input out. */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    return this.nodeOf(1, operator, inputs, options)[0]!;
  }

  /** Adds a node with `count` outputs and returns their names. */
  nodeOf(
    count: number,
    operator: string,
    inputs: readonly string[],
    options: NodeOptions = {},
  ): readonly string[] {
    const outputs = Array.from({ length: count }, () => `v${this.results++}`);
    this.nodes.push({
      operator,
      domain: options.domain ?? '',
      name: `${options.layer ?? ''} ${operator} ${outputs[0] ?? ''}`,
      inputs,
      outputs,
      attributes: options.attributes ?? {},
    });
    return outputs;
  }

  /** A one-dimensional int64 constant. */
  ints(values: readonly number[]): string {
    return this.constant('int64', [values.length], new BigInt64Array(values.map(BigInt)));
  }

  floats(shape: readonly number[], values: readonly number[]): string {
    return this.constant('float32', shape, new Float32Array(values));
  }

  /** A float32 constant too large to be looked up by its values. */
  floatTensor(shape: readonly number[], values: Float32Array): string {
    const name = `c${this.constants.size}`;
    this.constants.set(name, { name, shape, dtype: 'float32', bytes: bytesOf(values) });
    return name;
  }

  external(initializer: ExternalInitializer): string {
    this.externals.push(initializer);
    return initializer.name;
  }

  /** The model's protobuf. Each external initialiser names a file of its own name, at offset 0. */
  serialize(): Uint8Array {
    const model = new ProtoWriter();
    model.int(1, IR_VERSION).string(2, 'latentd');
    model.message(7, (graph) => {
      for (const node of this.nodes)
        graph.message(1, (writer) => {
          writeNode(writer, node);
        });
      graph.string(2, this.name);
      for (const constant of this.constants.values()) {
        graph.message(5, (writer) =>
          writeTensorHead(writer, constant, constant.dtype).raw(9, constant.bytes),
        );
      }
      for (const external of this.externals) {
        graph.message(5, (writer) => {
          writeExternal(writer, external);
        });
      }
      for (const port of this.ports.inputs)
        graph.message(11, (writer) => {
          writePort(writer, port);
        });
      for (const port of this.ports.outputs)
        graph.message(12, (writer) => {
          writePort(writer, port);
        });
    });
    const domains = new Set<Domain>(['', ...this.nodes.map((node) => node.domain)]);
    for (const domain of domains) {
      model.message(8, (writer) => writer.string(1, domain).int(2, OPSETS[domain]));
    }
    return model.finish();
  }

  private constant(
    dtype: InlineInitializer['dtype'],
    shape: readonly number[],
    values: BigInt64Array | Float32Array,
  ): string {
    const key = `${dtype}[${shape.join(',')}]:${Array.from(values, String).join(',')}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known.name;
    const name = `c${this.constants.size}`;
    this.constants.set(key, { name, shape, dtype, bytes: bytesOf(values) });
    return name;
  }
}

function bytesOf(values: BigInt64Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function writeNode(writer: ProtoWriter, node: ModelNode): void {
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(3, node.name).string(4, node.operator);
  for (const [name, value] of Object.entries(node.attributes)) {
    writer.message(5, (attribute) => {
      writeAttribute(attribute, name, value);
    });
  }
  if (node.domain !== '') writer.string(7, node.domain);
}

function writeAttribute(writer: ProtoWriter, name: string, value: AttributeValue): void {
  writer.string(1, name);
  if (typeof value === 'number') writer.int(3, value).int(20, ATTRIBUTE_INT);
  else if (typeof value === 'string') writer.string(4, value).int(20, ATTRIBUTE_STRING);
  else if ('float' in value) writer.float(2, value.float).int(20, ATTRIBUTE_FLOAT);
  else writer.ints(8, value).int(20, ATTRIBUTE_INTS);
}

function writeTensorHead(
  writer: ProtoWriter,
  tensor: { readonly name: string; readonly shape: readonly number[] },
  dtype: keyof typeof ELEMENT_TYPE,
): ProtoWriter {
  return writer.ints(1, tensor.shape).int(2, ELEMENT_TYPE[dtype]).string(8, tensor.name);
}

function writeExternal(writer: ProtoWriter, external: ExternalInitializer): void {
  writeTensorHead(writer, external, 'float32');
  const byteLength = external.shape.reduce((product, extent) => product * extent, 4);
  const entries = { location: external.name, offset: '0', length: String(byteLength) };
  for (const [key, value] of Object.entries(entries)) {
    writer.message(13, (entry) => entry.string(1, key).string(2, value));
  }
  writer.int(14, DATA_LOCATION_EXTERNAL);
}

function writePort(writer: ProtoWriter, port: Port): void {
  writer.string(1, port.name).message(2, (type) =>
    type.message(1, (tensorType) =>
      tensorType.int(1, ELEMENT_TYPE[port.dtype]).message(2, (shape) => {
        for (const dim of port.shape) {
          shape.message(1, (writer) =>
            typeof dim === 'number' ? writer.int(1, dim) : writer.string(2, dim.text),
          );
        }
      }),
    ),
  );
}
