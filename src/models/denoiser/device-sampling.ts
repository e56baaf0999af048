/** Sampling where the network is: the device drives the sampler by itself, and JavaScript hears of each step. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NamedTensors } from '../../compute/backend.js';
import type { DeviceProgram } from '../../compute/device-program.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { DEVICE_PREDICTIONS, type DevicePrediction } from '../../native/cuda-addon.js';
import type { SamplerSetup } from '../../native/addon.js';
import type { NetworkInputs } from './network-inputs.js';
import type { ModelSampling } from './model-sampling.js';

/** A sampler to be run with a network where both are: on a device that can do without JavaScript between evaluations. */
export interface DeviceSampling {
  readonly sampler: SamplerSetup;
  /** N×C×…×h×w, half of the batch with `cfg`. */
  readonly shape: readonly number[];
  readonly inputs: NetworkInputs;
  /** Of classifier-free guidance, where the batch has an unconditional half, which is its first. */
  readonly cfg: number | undefined;
  /** Its reason is thrown before the next evaluation. */
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((step: number, totalSteps: number, denoised: Float32Array) => void) | undefined;
}

export interface DeviceSampled {
  /** Of the sampling's shape. */
  readonly sample: Tensor;
  /** The last prediction, where there was one. */
  readonly denoised: Tensor | undefined;
  /** How often the sampler drew on torch's global generator before its last evaluation. */
  readonly globalDraws: number;
}

/** What the device makes of a network's inputs and outputs. */
export interface DeviceDenoising {
  /** Inputs that the device writes: the noised latent and the embedded timestep; and the output that answers. */
  readonly ports: { readonly x: string; readonly timeEmbedding: string; readonly out: string };
  readonly prediction: DevicePrediction;
  /** Standard deviation of the data. */
  readonly sigmaData: number;
}

/** What a network's output means to the device; undefined for what it doesn't know. */
export function devicePrediction({ prediction }: ModelSampling): DevicePrediction | undefined {
  return DEVICE_PREDICTIONS.find((known) => known === prediction);
}

/**
 * Runs the sampler. `inputs` say what stays the same, and the shapes of the others. What `progress` throws ends the sampling, and is
 * thrown.
 */
export async function sampleOnDevice(
  { model, plan, ...names }: DeviceProgram,
  inputs: NamedTensors,
  { ports, prediction, sigmaData }: DeviceDenoising,
  { sampler, shape, cfg, signal, progress }: DeviceSampling,
): Promise<DeviceSampled> {
  signal?.throwIfAborted();
  const cancelled = new Int32Array(1);
  const cancel = (): void => {
    cancelled[0] = 1;
  };
  signal?.addEventListener('abort', cancel);
  let told = 0;
  let fault: { readonly error: unknown } | undefined;
  const report = (step: number, totalSteps: number, denoised: Float32Array): void => {
    told++;
    try {
      if (fault === undefined) progress?.(step, totalSteps, denoised);
    } catch (error) {
      fault = { error };
      cancel();
    }
  };
  try {
    const { reports, ...sampled } = await model.sample(plan, sampler, {
      x: indexOf(names.inputs, ports.x),
      timeEmbedding: indexOf(names.inputs, ports.timeEmbedding),
      out: indexOf(names.outputs, ports.out),
      inputs: names.inputs.map((name) => inputs[name]!.data),
      prediction,
      sigmaData,
      cancelled,
      report,
      ...(cfg === undefined ? {} : { cfg }),
    });
    while (told < reports) await nextTurn();
    if (fault !== undefined) throw fault.error;
    return {
      sample: tensor(shape, sampled.sample),
      denoised: sampled.denoised && tensor(shape, sampled.denoised),
      globalDraws: sampled.globalDraws,
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw fault === undefined ? error : fault.error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function indexOf(ports: readonly string[], name: string): number {
  const index = ports.indexOf(name);
  if (index === -1) throw new RangeError(`the graph has no ${name}`);
  return index;
}
