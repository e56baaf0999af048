/** What travels along a workflow's links. The keys of `ValueTypes` are ComfyUI's type names. */
import type { Tensor } from '../compute/tensor.js';
import type { Conditioning } from '../models/denoiser/conditioning.js';
import type { ControlNetwork } from '../models/control/control-network.js';
import type { GroundingModel } from '../models/denoiser/grounding.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import type { TextEncoders } from '../models/text/text-encoders.js';
import type { EncodedImages, ImageEncoder } from '../models/vision/image-encoder.js';
import type { StyleModel } from '../models/vision/style-model.js';
import type { IpAdapter } from '../models/ip-adapter/ip-adapter.js';
import type { Upscaler } from '../models/upscale/upscaler.js';
import type { FaceRestorer } from '../models/faces/face-model.js';
import type { HookGroup, HookKeyframes } from '../models/weights/hooks.js';
import type { VaeModel } from '../models/vae/vae-model.js';
import type { LatentScale } from '../sampling/empty-latent.js';
import type { Guider } from '../sampling/guider.js';
import type { InitialNoise, RandomStream } from '../sampling/noise.js';
import type { SamplerChoice } from '../sampling/run-sampler.js';

export type { Area, Conditioning, ConditioningEntry } from '../models/denoiser/conditioning.js';

/** N×H×W×C in [0, 1], C = 3 (or 4 where a node keeps alpha). */
export type Image = Tensor;

/** N×H×W in [0, 1]. */
export type Mask = Tensor;

/** ComfyUI's LATENT dictionary. */
export interface Latent {
  /** N×C×h×w, already divided by the family's scale factor as VAEEncode hands it on. */
  readonly samples: Tensor;
  /** N×1×h'×w' in [0, 1], 1 where noise is put; resized to the latent when sampling starts. */
  readonly noiseMask?: Tensor;
  /** For each row, which draw of the noise generator it takes (`LatentFromBatch`). */
  readonly batchIndex?: readonly number[];
  /** What an empty latent was made for, so that it can be fitted to another model. */
  readonly madeFor?: LatentScale | undefined;
  /** Where the sampling that made it left torch's generator; one that adds no noise goes on from there. */
  readonly random?: RandomStream | undefined;
}

/** ComfyUI's TIMESTEPS_RANGE: shares of sampling, 0 to 1. */
export interface TimestepsRange {
  readonly start: number;
  readonly end: number;
}

/** ComfyUI's LATENT_OPERATION. */
export interface LatentOperation {
  /** Changes when the change would. */
  readonly identity: string;
  /** N×C×h×w to the same. */
  readonly apply: (latent: Tensor) => Tensor;
}

/** ComfyUI's AUDIO dictionary. */
export interface Audio {
  /** N×channels×samples in [−1, 1]; files give one, and films take the first. */
  readonly waveform: Tensor;
  /** Hertz. */
  readonly sampleRate: number;
}

/** Sound that is read when it is used; undefined where there is none. VideoHelperSuite's lazy AUDIO. */
export type AudioSource = (signal: AbortSignal) => Promise<Audio | undefined>;

/** ComfyUI's VIDEO: a film in a file, or one that is made of images. */
export interface Video {
  /** What it holds in memory, so that whoever keeps results can count it. */
  readonly images?: Image;
  /** Pixels of a frame, as it is stored. */
  size(): Promise<{ readonly width: number; readonly height: number }>;
  /** Its frames and its sound. */
  read(signal: AbortSignal): Promise<VideoComponents>;
  /** Writes it as an MP4, H.264 unless the film is in a file and may be copied. */
  save(path: string, saving: VideoSaving): Promise<void>;
  /**
   * From `start` on, in seconds, from the end where it is negative; `duration` long, or all that is left where that is 0. Undefined
   * where there is less than that.
   */
  trim(start: number, duration: number, strict: boolean): Promise<Video | undefined>;
  /** Seconds. */
  duration(): Promise<number>;
}

export interface VideoComponents {
  readonly images: Image;
  readonly audio: AudioSource;
  /** Frames a second. */
  readonly frameRate: number;
  /** Of a pixel's channel in the file. */
  readonly bitDepth: number;
}

export interface VideoSaving {
  /** What was asked for; a film in a file that has it already is copied as it is. */
  readonly container: 'auto' | 'mp4';
  readonly codec: 'auto' | 'h264';
  /** Texts of the workflow by key. */
  readonly texts: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** VideoHelperSuite's VHS_VIDEOINFO. */
export interface FilmInfo {
  readonly source: FilmFacts;
  /** What is left after rate, skipping and resizing. */
  readonly loaded: FilmFacts;
}

export interface FilmFacts {
  readonly fps: number;
  readonly frameCount: number;
  /** Seconds. */
  readonly duration: number;
  readonly width: number;
  readonly height: number;
}

/** VideoHelperSuite's VHS_FILENAMES: what VHS_VideoCombine wrote. */
export interface FilmFiles {
  readonly saveOutput: boolean;
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** A rectangle in pixels. */
export interface BoundingBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** ComfyUI_IPAdapter_plus' IPADAPTER: the adapter, and its image encoder where a unified loader found that. */
export interface LoadedIpAdapter {
  readonly adapter: IpAdapter;
  readonly encoder?: ImageEncoder;
}

export interface ValueTypes {
  MODEL: DiffusionModel;
  CLIP: TextEncoders;
  VAE: VaeModel;
  UPSCALE_MODEL: Upscaler;
  CONTROL_NET: ControlNetwork;
  /** What gives texts places in a picture. */
  GLIGEN: GroundingModel;
  CLIP_VISION: ImageEncoder;
  CLIP_VISION_OUTPUT: EncodedImages;
  /** A camera's path: N×24×F×H×W. */
  WAN_CAMERA_EMBEDDING: Tensor;
  STYLE_MODEL: StyleModel;
  IPADAPTER: LoadedIpAdapter;
  /** Encoded pictures, N×E or N×T×E. */
  EMBEDS: Tensor;
  /** Nothing makes one: faces are not embedded. */
  INSIGHTFACE: never;
  CONDITIONING: Conditioning;
  LATENT: Latent;
  TIMESTEPS_RANGE: TimestepsRange;
  /** Changes of weights that count where prompts do. */
  HOOKS: HookGroup;
  HOOK_KEYFRAMES: HookKeyframes;
  FLOATS: number | readonly number[];
  LATENT_OPERATION: LatentOperation;
  IMAGE: Image;
  MASK: Mask;
  SAMPLER: SamplerChoice;
  /** The noise levels that a run visits, one more than it has steps; none for no run at all. */
  SIGMAS: Float32Array;
  GUIDER: Guider;
  NOISE: InitialNoise;
  FACERESTORE_MODEL: FaceRestorer;
  AUDIO: AudioSource;
  VIDEO: Video;
  /** The name of a recording in the input folder, which an editor's widget puts there. */
  AUDIO_RECORD: string;
  VHS_VIDEOINFO: FilmInfo;
  VHS_FILENAMES: FilmFiles;
  /** Nothing makes one: films are not loaded in batches. */
  VHS_BatchManager: never;
  /** A bigint where a double would lose digits. */
  INT: number | bigint;
  FLOAT: number;
  STRING: string;
  BOOLEAN: boolean;
  /** One of a list, as text. */
  COMBO: string;
  /** `#rrggbb`, or `#rrggbbaa`. */
  COLOR: string;
  /** Plain data, as JSON has it. */
  ARRAY: readonly unknown[];
  DICT: Readonly<Record<string, unknown>>;
  BOUNDING_BOX: BoundingBox;
  /** What an editor's slider writes. */
  IMAGECOMPARE: unknown;
  /** How many pixels have each of 256 values. */
  HISTOGRAM: readonly number[];
  /** Any of them. */
  '*': unknown;
  /** The same as some input: see `OutputSpec.template`. */
  COMFY_MATCHTYPE_V3: unknown;
}

export type ValueType = keyof ValueTypes;

declare const custom: unique symbol;

/**
 * A type of a node pack's own, by the name that workflows and editors know it under: after
 * `const PALETTE = 'PALETTE' as CustomType<Palette>`, `link(PALETTE)` is an input whose value is a `Palette`.
 */
export type CustomType<Value> = string & { readonly [custom]: Value };

export type ValueTypeName = ValueType | CustomType<unknown>;

/** The value that a type's name stands for. */
export type ValueOf<Type extends ValueTypeName> = Type extends ValueType
  ? ValueTypes[Type]
  : Type extends CustomType<infer Value>
    ? Value
    : never;
