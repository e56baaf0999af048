import type { DeviceProgram } from './device-program.js';
import type { Graph } from './graph.js';
import type { Tensor, TensorData } from './tensor.js';

export type NamedTensors = Readonly<Record<string, Tensor<TensorData>>>;

export type DeviceRunner = <Result>(
  inputs: NamedTensors,
  loop: (program: DeviceProgram) => Promise<Result>,
) => Promise<Result>;

/** A graph made ready for a device. */
export interface Program {
  /** Runs the graph once. Inputs are named as in the graph; every output of the graph is returned. */
  run(inputs: NamedTensors): Promise<Record<string, Tensor>>;
  /**
   * Hands the program to a loop that runs on its device, with no turn of the event loop between evaluations; left out where the
   * device can't. `inputs` have the shapes that it is prepared for.
   */
  readonly onDevice?: DeviceRunner | undefined;
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
