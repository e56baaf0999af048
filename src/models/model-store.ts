import type { GgufProducts } from './files/gguf-products.js';
import type { DiffusionModel } from './denoiser/diffusion-model.js';
import type { GroundingModel } from './denoiser/grounding.js';
import type { Hypernetwork } from './denoiser/hypernetwork.js';
import type { ControlNetwork } from './control/control-network.js';
import type { IpAdapter } from './ip-adapter/ip-adapter.js';
import type { Annotator, AnnotatorKind } from './annotators/annotator.js';
import type { ObjectDetector } from './detectors/object-detector.js';
import type { SegmentationModel } from './segment-anything/segment-anything.js';
import type { ForeignModel } from './onnx/foreign-model.js';
import type { FaceModel } from './faces/face-model.js';
import type { TextEncoders } from './text/text-encoders.js';
import type { WeightSource } from './weights/weight-source.js';
import type { Upscaler } from './upscale/upscaler.js';
import type { TinyVaeFiles } from './vae/tiny-files.js';
import type { ImageEncoder } from './vision/image-encoder.js';
import type { SafetyChecker } from './vision/safety-checker.js';
import type { StyleModel } from './vision/style-model.js';
import type { VaeModel } from './vae/vae-model.js';

export interface Checkpoint {
  readonly model: DiffusionModel;
  readonly clip: TextEncoders;
  readonly vae: VaeModel;
  /** Of families that are shown pictures, where the file has one. */
  readonly imageEncoder?: ImageEncoder;
}

/** Opens model files, once each while unchanged on disk. Opening reads headers only. Throws `ModelError`. */
export interface ModelStore {
  checkpoint(path: string): Checkpoint;
  /** Text encoders that have files of their own, of a `type` as CLIPLoader's input names it. */
  textEncoders(paths: readonly string[], type: string): TextEncoders;
  /** The denoiser of a file: of one alone, or of a checkpoint (UNETLoader). */
  diffusionModel(path: string, options?: { readonly ggufProducts?: GgufProducts }): DiffusionModel;
  /** An autoencoder by its file, or a tiny one by both. */
  vae(files: string | TinyVaeFiles): VaeModel;
  upscaler(path: string): Upscaler;
  /** A ControlNet or T2I-Adapter; `model` is what a file of differences is on top of. */
  control(path: string, model?: DiffusionModel): ControlNetwork;
  /** What encodes pictures for prompts. */
  imageEncoder(path: string): ImageEncoder;
  ipAdapter(path: string): IpAdapter;
  /** Small networks on keys and values. */
  hypernetwork(path: string): Hypernetwork;
  /** What tells a network where things lie (GLIGEN). */
  grounding(path: string): GroundingModel;
  /** A style model, which makes words of encoded pictures. */
  style(path: string): StyleModel;
  /** What turns pictures away (`safety_checker/model.safetensors` of diffusers). */
  safetyChecker(path: string): SafetyChecker;
  /** A model that finds, parses or restores faces. */
  face(path: string): FaceModel;
  /** A network of a kind that makes hints of pictures. */
  annotator(path: string, kind: AnnotatorKind): Annotator;
  /** A network that finds things in pictures, of a file that holds its layers. */
  objectDetector(path: string): ObjectDetector;
  /** A network that outlines what points and boxes show. */
  segmentation(path: string): SegmentationModel;
  /** A model in ONNX's format, made elsewhere; read when it first runs. */
  onnx(path: string): ForeignModel;
  /** Lets go of what was opened of a file, and of its programs, those in use as soon as they are no longer. */
  free(path: string): Promise<void>;
  /** Any file of weights (`openModelFile`) as named weights: LoRAs, embeddings, networks for pictures. */
  weights(path: string): WeightSource;
}
