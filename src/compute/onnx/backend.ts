/** Runs graphs with ONNX Runtime on the CPU. */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Backend, NamedTensors, Program } from '../backend.js';
import { evaluateDim, type DimBindings } from '../dim.js';
import type { Graph } from '../graph.js';
import { elementCount, type Tensor, type TensorData } from '../tensor.js';
import { lowerGraph } from './lowering/lower.js';

export interface OnnxBackendOptions {
  /** Threads inside one operator; ONNX Runtime's own choice (the physical cores) when left out. */
  readonly threads?: number;
}

/** ONNX Runtime's CPU provider. A loaded graph runs at every size that its symbolic extents can take. */
export function createOnnxBackend(options: OnnxBackendOptions = {}): Backend {
  return {
    device: 'cpu',
    async load(graph: Graph): Promise<Program> {
      const model = lowerGraph(graph);
      const externalData = model.externals.map((external) => {
        const data = new Float32Array(elementCount(external.shape));
        external.fill(data);
        return { path: external.name, data: new Uint8Array(data.buffer) };
      });
      const residentBytes = externalData.reduce((sum, { data }) => sum + data.byteLength, 0);
      const session = await InferenceSession.create(model.serialize(), {
        externalData,
        executionProviders: ['cpu'],
        logSeverityLevel: 3,
        ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      });
      return new OnnxProgram(graph, session, residentBytes);
    },
  };
}

class OnnxProgram implements Program {
  constructor(
    private readonly graph: Graph,
    private readonly session: InferenceSession,
    readonly residentBytes: number,
  ) {}

  async run(inputs: NamedTensors): Promise<Record<string, Tensor>> {
    checkInputs(this.graph, inputs);
    const feeds = Object.fromEntries(
      this.graph.inputs.map(({ name }) => [name, toOrt(inputs[name]!)] as const),
    );
    const results = await this.session.run(feeds);
    return Object.fromEntries(
      this.graph.outputs.map(({ name }) => {
        const { dims, data } = results[name] as OrtTensor;
        return [name, { shape: dims, data: data as Float32Array }] as const;
      }),
    );
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}

function toOrt(tensor: Tensor<TensorData>): OrtTensor {
  return tensor.data instanceof Float32Array
    ? new OrtTensor('float32', tensor.data, tensor.shape)
    : new OrtTensor('int32', tensor.data, tensor.shape);
}

/** Checks that every input is there, of its dtype, and of extents that agree with the graph's and with each other. */
export function checkInputs(graph: Graph, inputs: NamedTensors): void {
  const bindings: Record<string, number> = {};
  for (const { name, value } of graph.inputs) {
    const given = inputs[name];
    const where = `input ${name} of ${graph.name}`;
    if (given === undefined) throw new TypeError(`${where} is missing`);
    const dtype = given.data instanceof Float32Array ? 'float32' : 'int32';
    if (dtype !== value.dtype) throw new TypeError(`${where} should be ${value.dtype}, is ${dtype}`);
    const wanted = `[${value.shape.join(', ')}]`;
    const mismatch = `${where} should have shape ${wanted}, has [${given.shape.join(', ')}]`;
    if (given.shape.length !== value.shape.length) throw new RangeError(mismatch);
    if (given.data.length !== elementCount(given.shape)) {
      throw new RangeError(`${where} holds ${given.data.length} values, not ${elementCount(given.shape)}`);
    }
    value.shape.forEach((dim, axis) => {
      const extent = given.shape[axis]!;
      if (typeof dim !== 'number') bindings[dim.text] ??= extent;
      if (extent !== evaluate(dim, bindings)) throw new RangeError(mismatch);
    });
  }
}

function evaluate(dim: Graph['inputs'][number]['value']['shape'][number], bindings: DimBindings): number {
  return typeof dim === 'number' ? dim : (bindings[dim.text] ?? evaluateDim(dim, bindings));
}
