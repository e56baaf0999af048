import type { Graph } from './graph.js';
import type { GraphSampled, GraphSampling } from './graph-sampling.js';
import type { Tensor, TensorData } from './tensor.js';

export type NamedTensors = Readonly<Record<string, Tensor<TensorData>>>;

/** A graph made ready for a device. */
export interface Program {
  /** Runs the graph once. Inputs are named as in the graph; every output of the graph is returned. */
  run(inputs: NamedTensors): Promise<Record<string, Tensor>>;
  /**
   * Runs a sampler that asks the graph, with no turn of the event loop between evaluations; left out where the device can't.
   * `inputs` say what stays the same, and the shapes of the others.
   */
  readonly sample?: ((inputs: NamedTensors, sampling: GraphSampling) => Promise<GraphSampled>) | undefined;
  /** Approximate bytes held for weights, for the model cache's accounting. */
  readonly residentBytes: number;
  dispose(): Promise<void>;
}

/** Where graphs run. One interface for ONNX Runtime and for the CUDA engine. */
export interface Backend {
  readonly device: string;
  load(graph: Graph): Promise<Program>;
  /** Bytes that can be had for weights; the system's memory when left out or undefined. */
  availableBytes?(): number | undefined;
}
