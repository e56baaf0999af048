/**
 * The native addon's typed face: every binding is declared here, nothing else loads the binary. Importing this module
 * throws an `Error` that says what to do when the addon hasn't been built.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Number formats that the addon widens to float32. */
export type StoredDType = 'F64' | 'F32' | 'F16' | 'BF16';

/**
 * A file mapped read-only into memory; pages are read when they are first touched. A file must not be truncated while it
 * is mapped.
 */
export interface MappedFile {
  /** Bytes. */
  readonly size: number;
  /** A copy of `length` bytes at byte `offset`. Throws `RangeError` beyond the file's end. */
  read(offset: number, length: number): Uint8Array;
  /** Converts `into.length` values of `dtype` at byte `offset`, aligned or not. Throws `RangeError` beyond the end. */
  widen(offset: number, dtype: StoredDType, into: Float32Array): void;
  /** Unmaps the file; every later use but `close` throws. */
  close(): void;
}

/**
 * torch's CPU random number generator, bit for bit (torch 2.x on x86): `torch.Generator().manual_seed(seed)` and the
 * calls that take it. Successive calls go on in one stream, as in torch.
 */
export interface TorchGenerator {
  /** `torch.rand(count, dtype)`: uniform in [0, 1). Narrower types are returned as the float32 values they round to. */
  rand(count: number, dtype?: 'F32' | 'F16' | 'BF16'): Float32Array;
  rand(count: number, dtype: 'F64'): Float64Array;
  /** `torch.randn(count, dtype)`, for a tensor of any shape with `count` elements. */
  randn(count: number, dtype?: 'F32' | 'F16' | 'BF16'): Float32Array;
  randn(count: number, dtype: 'F64'): Float64Array;
  /** The engine's next 32 bits; `torch.randint(n)` is this modulo n for n below 2^28. */
  random32(): number;
}

/**
 * Resamples `values`, `outer` × `height` × `width` × `channels`, to `toHeight` × `toWidth`. Extents are whole numbers from 1 to
 * 2^20. Throws `RangeError` when `values` has another length.
 */
type Resampler = (
  values: Float32Array,
  outer: number,
  channels: number,
  height: number,
  width: number,
  toHeight: number,
  toWidth: number,
) => Float32Array;

/** torch's interpolation modes that ComfyUI offers. */
export type ResizeMode = 'nearest-exact' | 'bilinear' | 'bicubic' | 'area';

/** ComfyUI's nine schedulers, by name. */
export type SchedulerName =
  | 'simple'
  | 'sgm_uniform'
  | 'karras'
  | 'exponential'
  | 'ddim_uniform'
  | 'beta'
  | 'normal'
  | 'linear_quadratic'
  | 'kl_optimal';

/**
 * Which sigma belongs to which timestep, as the model was trained (ComfyUI comfy/model_sampling.py). Sigmas fall from
 * `sigmaMax` to `sigmaMin` while timesteps fall from the last to 0; values are float32, as in torch.
 */
export interface ModelSampling {
  /** The table in rising order: a discrete model's own, or 1000 of a continuous one. A copy. */
  readonly sigmas: Float32Array;
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** The timestep that the network is told for `sigma`: the nearest whole one (discrete), or a continuous function. */
  sigmaToTimestep(sigma: number): number;
  timestepToSigma(timestep: number): number;
  /** The sigma at a share of the way from pure noise: 999999999.9 from 0 down, 0 from 1 up. */
  percentToSigma(percent: number): number;
  /** The sigmas that `scheduler` visits in `steps` steps (1 to 10 000), in falling order, most ending in 0. */
  schedule(scheduler: SchedulerName, steps: number): Float32Array;
  /**
   * The sigmas that `KSampler` visits for `denoise` in [0, 1]: the last `steps` + 1 of a schedule of `steps / denoise`
   * steps, none for 0. Some samplers leave out the sigma before the last (`discardPenultimate`).
   */
  kSamplerSchedule(
    scheduler: SchedulerName,
    steps: number,
    denoise: number,
    discardPenultimate: boolean,
  ): Float32Array;
  /** `BetaSamplingScheduler`: timesteps at the quantiles of a beta distribution with parameters above 0. */
  betaSchedule(steps: number, alpha: number, beta: number): Float32Array;
}

interface ModelSamplingConstructor {
  new (
    kind: 'discrete' | 'distilled',
    linearStart: number,
    linearEnd: number,
    zeroTerminalSnr: boolean,
  ): ModelSampling;
  new (kind: 'continuous_edm' | 'continuous_v', sigmaMin: number, sigmaMax: number): ModelSampling;
}

/**
 * into[r][c] += scale · Σ a[r][i]·b[i][c], row-major float32 matrices of rows×columns, rows×inner and inner×columns; the sum is
 * rounded before it is scaled. Throws `RangeError` when a length disagrees. Made for LoRAs, whose `inner` is short.
 */
export type AddProduct = (
  into: Float32Array,
  a: Float32Array,
  b: Float32Array,
  rows: number,
  inner: number,
  columns: number,
  scale: number,
) => void;

/** into = a ⊗ b of row-major matrices. Throws `RangeError` when a length disagrees. */
export type Kronecker = (
  into: Float32Array,
  a: Float32Array,
  aRows: number,
  aColumns: number,
  b: Float32Array,
  bRows: number,
  bColumns: number,
) => void;

/**
 * DoRA on a weight seen as `groups` × `magnitudes.length` × `inner`: the sum of `values` and scale · change is rescaled along
 * the middle axis from its norms there (or those of the unchanged values) to `magnitudes`, and replaces `values` to the
 * share `strength`. `change` is used up. Throws `RangeError` when a length disagrees.
 */
export type Decompose = (
  values: Float32Array,
  change: Float32Array,
  magnitudes: Float32Array,
  groups: number,
  inner: number,
  normsOfValues: boolean,
  scale: number,
  strength: number,
) => void;

/** What `build/Release/latentd.node` exports. */
interface Bindings {
  readonly MappedFile: new (path: string) => MappedFile;
  readonly TorchGenerator: new (seed: bigint) => TorchGenerator;
  readonly ModelSampling: ModelSamplingConstructor;
  readonly schedulerNames: readonly SchedulerName[];
  readonly karrasSigmas: (steps: number, sigmaMin: number, sigmaMax: number, rho: number) => Float32Array;
  readonly exponentialSigmas: (steps: number, sigmaMin: number, sigmaMax: number) => Float32Array;
  readonly polyexponentialSigmas: (
    steps: number,
    sigmaMin: number,
    sigmaMax: number,
    rho: number,
  ) => Float32Array;
  readonly vpSigmas: (steps: number, betaD: number, betaMin: number, epsS: number) => Float32Array;
  readonly laplaceSigmas: (
    steps: number,
    sigmaMin: number,
    sigmaMax: number,
    mu: number,
    beta: number,
  ) => Float32Array;
  readonly narrowToF16: (values: Float32Array) => Uint16Array;
  readonly resize: (...args: [...Parameters<Resampler>, mode: ResizeMode]) => Float32Array;
  readonly bislerp: Resampler;
  readonly lanczos: Resampler;
  readonly addProduct: AddProduct;
  readonly addScaled: (into: Float32Array, change: Float32Array, factor: number) => void;
  readonly multiplyElements: (into: Float32Array, other: Float32Array) => void;
  readonly kronecker: Kronecker;
  readonly decompose: Decompose;
}

function load(): Bindings {
  // Two folders below the package's root from both src/native and dist/native.
  const path = fileURLToPath(new URL('../../build/Release/latentd.node', import.meta.url));
  try {
    return createRequire(import.meta.url)(path) as Bindings;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new Error(
      `the native addon ${path} can't be loaded; build it with: npm run build:native (${reason ?? ''})`,
      {
        cause,
      },
    );
  }
}

const bindings = load();

/** Maps the file at `path`; throws an `Error` that names the path when it can't be opened. */
export const MappedFile = bindings.MappedFile;

/** Rounds float32 values to half precision (nearest even), as raw bits. */
export const narrowToF16 = bindings.narrowToF16;

/** A generator seeded with the low 64 bits of `seed`, which lies in [-2^63, 2^64); else `RangeError`. */
export const TorchGenerator = bindings.TorchGenerator;

/** `torch.nn.functional.interpolate` without antialiasing; N×C×H×W is `outer` = N·C with one channel, N×H×W×C is `outer` = N. */
export const resize = bindings.resize;

/** ComfyUI's bislerp of `outer` × `channels` × `height` × `width` (channels before rows here). */
export const bislerp = bindings.bislerp;

/** Pillow's Lanczos of RGB or RGBA pictures in [0, 1], through 8-bit values. */
export const lanczos = bindings.lanczos;

/**
 * `discrete`: a linear beta schedule of 1000 timesteps (SD 1.x, 2.x and SDXL: 0.00085 to 0.012), or the 50 of it that
 * LCM was `distilled` on; `continuous_edm` and `continuous_v`: a range of sigmas. Parameters lie above 0, else `RangeError`.
 */
export const ModelSampling = bindings.ModelSampling;

/** In ComfyUI's order. */
export const schedulerNames = bindings.schedulerNames;

// k-diffusion's schedules that need no model: `steps` + 1 sigmas ending in 0 (laplaceSigmas: `steps`, without the 0).
export const karrasSigmas = bindings.karrasSigmas;
export const exponentialSigmas = bindings.exponentialSigmas;
export const polyexponentialSigmas = bindings.polyexponentialSigmas;
export const vpSigmas = bindings.vpSigmas;
export const laplaceSigmas = bindings.laplaceSigmas;

export const addProduct = bindings.addProduct;

/** into += factor · change, of equal lengths. */
export const addScaled = bindings.addScaled;

/** into *= other, of equal lengths. */
export const multiplyElements = bindings.multiplyElements;

export const kronecker = bindings.kronecker;
export const decompose = bindings.decompose;
