/**
 * The native addon's typed face: every binding is declared here, nothing else loads the binary. Importing this module
 * throws an `Error` that says what to do when the addon hasn't been built.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { AddonError, addonFile, HOW_TO_GET_ADDON } from './native-files.js';
import type { DTypeRow } from './dtypes.js';
import type * as mapped from './mapped-file-types.js';
import type * as opencv from './opencv-types.js';
import type * as onnx from './onnx-types.js';
import type * as random from './random-types.js';
import type * as samplerTypes from './sampler-types.js';
import type * as schedule from './noise-levels-types.js';

export type MappedBytes = mapped.MappedBytes;
export type MappedFile = mapped.MappedFile;
export type TorchGenerator = random.TorchGenerator;
export type CudaGenerator = random.CudaGenerator;
export type BrownianTree = random.BrownianTree;
export type NoiseLevels = schedule.NoiseLevels;
export type SchedulerName = schedule.SchedulerName;
export type OnnxSession = onnx.OnnxSession;
export type OnnxSessionOptions = onnx.OnnxSessionOptions;
export type StoredWeight = onnx.StoredWeight;
export type SamplerInfo = samplerTypes.SamplerInfo;
export type SamplerRun = samplerTypes.SamplerRun;
export type SamplerRunInit = samplerTypes.SamplerRunInit;
export type SamplerSetup = samplerTypes.SamplerSetup;
export type EvaluationRequest = samplerTypes.EvaluationRequest;

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
  readonly OnnxSession: new () => OnnxSession;
  readonly hasFastBf16: () => boolean;
  readonly TorchGenerator: new (seed: bigint) => TorchGenerator;
  readonly CudaGenerator: new (seed: bigint, gpuThreads?: number) => CudaGenerator;
  readonly BrownianTree: new (t0: number, t1: number, count: number, seed: bigint) => BrownianTree;
  readonly philox4x32: (counter: Uint32Array, key: Uint32Array) => Uint32Array;
  readonly SamplerRun: new (sampler: string, init: SamplerRunInit) => SamplerRun;
  readonly samplers: readonly SamplerInfo[];
  readonly NoiseLevels: schedule.NoiseLevelsConstructor;
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
  /** The rows of native/files/dtypes.h. */
  readonly dtypes: readonly (Omit<DTypeRow, 'fitsF16'> & { readonly name: string })[];
  readonly narrowToF16: (values: Float32Array) => Uint16Array;
  readonly resize: (...args: [...Parameters<Resampler>, mode: ResizeMode]) => Float32Array;
  readonly bislerp: Resampler;
  readonly lanczos: Resampler;
  readonly unpackPixels: (pixels: Uint8Array | Uint16Array) => Float32Array;
  readonly packPixels: (values: Float32Array, start: number, into: Uint8Array | Uint16Array) => void;
  readonly resizeLinear: opencv.ResizeLinear;
  readonly warpAffine: opencv.WarpAffine;
  readonly pasteFace: opencv.PasteFace;
  readonly addProduct: AddProduct;
  readonly addScaled: (into: Float32Array, change: Float32Array, factor: number) => void;
  readonly multiplyElements: (into: Float32Array, other: Float32Array) => void;
  readonly kronecker: Kronecker;
  readonly decompose: Decompose;
  readonly notifyService: (socket: string, state: string) => void;
  readonly endWithParent: () => void;
  readonly giveBackMemory: () => void;
  readonly guardSignals: (patience: number, lastWords: string) => void;
  readonly answerSignal: () => void;
  readonly releaseSignals: () => void;
  readonly trackTemporary: (path: string) => void;
  readonly untrackTemporary: (path: string) => void;
}

function load(): Bindings {
  const path = addonFile('latentd.node');
  try {
    return createRequire(import.meta.url)(path) as Bindings;
  } catch (cause) {
    const reason = existsSync(path)
      ? `can't be loaded (${(cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!})`
      : `is missing`;
    throw new AddonError(`latentd's native addon ${path} ${reason}; ${HOW_TO_GET_ADDON}`, { cause });
  }
}

const bindings = load();

/** Maps the file at `path`; throws an `Error` that names the path when it can't be opened. */
export const MappedFile = bindings.MappedFile;

/** An empty session, to be loaded. */
export const OnnxSession = bindings.OnnxSession;

/** Whether the processor multiplies bfloat16 faster than float32. */
export const hasFastBf16 = bindings.hasFastBf16;

/** C++'s table of number types; `dtypes.ts` is the one to use. */
export const nativeDTypes = bindings.dtypes;

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

/** Pixels' channels, over 255 or 65535. */
export const unpackPixels = bindings.unpackPixels;

/** As many values from `start` on as `into` holds, as pixels' channels: rounded half up in float32 and cut to [0, 1], NaN as 0. */
export const packPixels = bindings.packPixels;

export const resizeLinear = bindings.resizeLinear;
export const warpAffine = bindings.warpAffine;
export const pasteFace = bindings.pasteFace;

/**
 * `discrete`: a linear beta schedule of 1000 timesteps (SD 1.x, 2.x and SDXL: 0.00085 to 0.012), or the 50 of it that
 * LCM was `distilled` on; `continuous_edm`, `continuous_v` and `cosmos_rflow`: a range of sigmas. Parameters lie above 0, else
 * `RangeError`.
 */
export const NoiseLevels = bindings.NoiseLevels;

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

/** A generator as on a GPU that holds `gpuThreads` threads (an RTX 4090's when left out). */
export const CudaGenerator = bindings.CudaGenerator;

/** A path over [t0, t1] of `count` values, from `seed` by splitting as NumPy's SeedSequence does. */
export const BrownianTree = bindings.BrownianTree;

/** Philox 4×32 with ten rounds: four words from a counter of four and a key of two. */
export const philox4x32 = bindings.philox4x32;

/** Starts a run; throws `RangeError` for an unknown sampler or option, or a setting that makes no sense. */
export const SamplerRun = bindings.SamplerRun;

/** What `SamplerRun` is given, for a device that runs samplers by itself. Throws likewise. */

/** Every sampler, in ComfyUI's order. */
export const samplers = bindings.samplers;

/**
 * Sends a state (`READY=1`, lines of `NAME=VALUE`) to the service manager at `socket`, the value of `NOTIFY_SOCKET`: an absolute
 * path, or an abstract name that begins with `@`. Throws an `Error` when nobody takes it.
 */
export const notifyService = bindings.notifyService;

/** From now on this process is killed when the process that started it ends, however that ends. */
export const endWithParent = bindings.endWithParent;

/** Pages that the C library keeps though nothing lies in them go back to the kernel. */
export const giveBackMemory = bindings.giveBackMemory;

/**
 * From now on SIGINT, SIGTERM and SIGHUP, which the process has listeners for, end it when none of them calls `answerSignal`
 * within `patience` milliseconds (its event loop gets no turn), and a second one ends it at once. It exits with 128 + the signal's
 * number, after removing what `trackTemporary` named and writing `lastWords` to standard output. Until `releaseSignals`.
 */
export const guardSignals = bindings.guardSignals;
export const answerSignal = bindings.answerSignal;
export const releaseSignals = bindings.releaseSignals;

/** A file or folder that is removed when a signal ends the process by `guardSignals`; until `untrackTemporary`. */
export const trackTemporary = bindings.trackTemporary;
export const untrackTemporary = bindings.untrackTemporary;
