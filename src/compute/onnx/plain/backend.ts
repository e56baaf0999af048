/** Runs graphs with the operators of ONNX Runtime alone, through onnxruntime-node: what our kernels are compared with. */
import { InferenceSession, OrtTensor } from '../../../native/onnxruntime-node.js';
import type { Backend, NamedTensors, Program } from '../../backend.js';
import { checkInputs } from '../../check-inputs.js';
import type { Graph } from '../../graph.js';
import { elementCount, type Tensor, type TensorData } from '../../tensor.js';
import { lowerGraph } from './lower.js';

export interface PlainOnnxBackendOptions {
  /** Threads inside one operator; ONNX Runtime's own choice (the physical cores) when left out. */
  readonly threads?: number;
}

/** ONNX Runtime's CPU provider. A loaded graph runs at every size that its symbolic extents can take. */
export function createPlainOnnxBackend(options: PlainOnnxBackendOptions = {}): Backend {
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
      return new PlainOnnxProgram(graph, session, residentBytes);
    },
  };
}

class PlainOnnxProgram implements Program {
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
