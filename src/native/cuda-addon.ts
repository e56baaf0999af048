/**
 * The CUDA addon's typed face. It is built where a CUDA compiler is found, and lies beside the other one; it loads on machines
 * without a card or a driver as well, and says so when a device is asked for.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { addonFile } from './native-files.js';
import type { MappedBytes, SamplerSetup } from './addon.js';

export interface CudaDeviceInfo {
  readonly name: string;
  /** `9.0` */
  readonly capability: string;
  readonly multiprocessors: number;
  readonly memoryBytes: number;
  /** CUDA's version as the driver has it, 13000 for 13.0. */
  readonly driver: number;
  /** Version of cuBLASLt, or why there is none. */
  readonly library: string;
}

/** The algorithm that was fastest for products of a shape, by a description of the shape. */
export type TunedAlgorithms = Readonly<Record<string, number>>;

/** A card. Everything on it happens in turn, on worker threads. */
export interface CudaDevice {
  readonly info: CudaDeviceInfo;
  freeBytes(): number;
  setAlgorithms(algorithms: TunedAlgorithms): void;
  /**
   * For comparisons: the plain twins of all kernels, or products in tiles of one kind (0 to 3; `RangeError` when the card has
   * not the shared memory for it), until the measured algorithms are wanted again. Waits for what runs.
   */
  force(kernels: 'measured' | 'plain' | number): void;
  /** All measured algorithms, when there are new ones since the last call. */
  takeAlgorithms(): TunedAlgorithms | undefined;
}

/** Values in a file, in order, or given. */
export interface EncodedValues {
  /** F64, F32, F16, BF16 as 0 to 3. */
  readonly format: number;
  readonly values: Float32Array | MappedBytes;
  /** Bytes into the file. */
  readonly offset?: number;
}

/** factor · up · down, rows × rank and rank × a row's values, which the card adds in float32. */
export interface EncodedProduct {
  readonly up: EncodedValues;
  readonly down: EncodedValues;
  readonly rank: number;
  readonly factor: number;
}

/** A part of a packed weight; zeros without `values`. */
export interface EncodedWeightPart
  extends Omit<EncodedValues, 'values'>, Partial<Pick<EncodedValues, 'values'>> {
  readonly rows: number;
  readonly channels: number;
  readonly taps: number;
  readonly products?: readonly EncodedProduct[];
}

export type EncodedWeights = readonly {
  readonly rows: number;
  readonly columns: number;
  readonly wide: boolean;
  readonly pairs: boolean;
  readonly parts: readonly EncodedWeightPart[];
}[];

/** An instruction's numbers by name (native/cuda/program.h, Instruction); left out where they don't matter. */
export type EncodedInstruction = Readonly<Record<string, unknown>> & {
  readonly kind: number;
  readonly layer: string;
};

export interface EncodedPort {
  readonly name: string;
  readonly count: number;
  /** The first extent. */
  readonly rows: number;
  readonly integer: boolean;
}

export interface EncodedProgram {
  readonly arenaBytes: number;
  readonly inputs: readonly EncodedPort[];
  readonly outputs: readonly EncodedPort[];
  readonly instructions: readonly EncodedInstruction[];
}

/** What the outputs of a denoiser mean that samplers can be run with on a card. */
export const DEVICE_PREDICTIONS = ['epsilon', 'v_prediction', 'edm', 'x0'] as const;
export type DevicePrediction = (typeof DEVICE_PREDICTIONS)[number];

/** A denoiser's program as a sampler asks it. Ports are named by their numbers. */
export interface CudaSampling {
  /** The noised latent, which the card writes: once, or twice one below the other with `cfg`. */
  readonly x: number;
  /** The sinusoidal embedding of the noise level's timestep, likewise. */
  readonly timeEmbedding: number;
  /** As large as `x`. */
  readonly out: number;
  /** For every input; those of `x` and `timeEmbedding` are not looked at. They must not change meanwhile. */
  readonly inputs: readonly (Float32Array | Int32Array)[];
  readonly prediction: DevicePrediction;
  /** Standard deviation of the data. */
  readonly sigmaData: number;
  /** Of classifier-free guidance; the first half of the batch is then the unconditional one. */
  readonly cfg?: number;
  /** Looked at before each evaluation: 1 ends the sampling with an error. */
  readonly cancelled: Int32Array;
  /** Told of each step that is done; must not throw. */
  readonly report: (step: number, totalSteps: number, denoised: Float32Array) => void;
}

export interface CudaSampled {
  readonly sample: Float32Array;
  /** The last prediction, where there was one. */
  readonly denoised?: Float32Array;
  /** How often `report` is called in all, which may be later than this is known. */
  readonly reports: number;
  /** How often the sampler drew on torch's global generator before its last evaluation. */
  readonly globalDraws: number;
}

/** A model's weights on a card, and its programs. Errors name what CUDA said, while doing what, in which layer. */
export interface CudaModel {
  /**
   * Copies the weights, and resolves with the bytes that they take there. Those that `shared` has a number of 0 or more for are the
   * ones of that number in `owner`, a loaded model of the same precision, whose memory they stay. It may be disposed of before this one.
   */
  load(weights: EncodedWeights, owner?: CudaModel, shared?: Int32Array): Promise<number>;
  /** The number of a program, for `run`. */
  prepare(program: EncodedProgram): number;
  /** Inputs and outputs in the program's order. Inputs must not change meanwhile. */
  run(plan: number, inputs: readonly (Float32Array | Int32Array)[]): Promise<Float32Array[]>;
  /** Runs a sampler on the card, without a turn in JavaScript between evaluations. Throws as `SamplerRun` does for a wrong setup. */
  sample(plan: number, sampler: SamplerSetup, sampling: CudaSampling): Promise<CudaSampled>;
  /** Milliseconds of each instruction by itself. */
  profile(plan: number): Promise<Float32Array>;
  /** Milliseconds of a run on the card without its copies: the median of `times`. */
  time(plan: number, times: number): Promise<number>;
  dispose(): Promise<void>;
}

export interface CudaAddon {
  readonly CudaDevice: new (index: number) => CudaDevice;
  readonly CudaModel: new (device: CudaDevice, precision: 'f16' | 'bf16') => CudaModel;
  /** Throws what the runtime says when there is no driver. */
  readonly countDevices: () => number;
}

export const CUDA_ADDON_PATH = addonFile('latentd-cuda.node');

/** Undefined when this build of latentd has no CUDA; throws an `Error` when it has, and can't load it. */
export function loadCudaAddon(path = CUDA_ADDON_PATH): CudaAddon | undefined {
  if (!existsSync(path)) return undefined;
  return createRequire(import.meta.url)(path) as CudaAddon;
}
