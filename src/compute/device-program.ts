import type { CudaModel } from '../native/cuda-addon.js';

/** A program as native code finds it on its device: for loops that run there, without this process between evaluations. */
export interface DeviceProgram {
  readonly model: CudaModel;
  /** The number of the model's plan for the shapes at hand. */
  readonly plan: number;
  /** Names of inputs and outputs, in the plan's order. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}
