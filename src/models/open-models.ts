import { statSync } from 'node:fs';
import type { DiffusionModel } from './denoiser/diffusion-model.js';
import { createDiffusionModel } from './denoiser/create-diffusion-model.js';
import type { ControlNetwork } from './control/control-network.js';
import { openControl } from './control/open-control.js';
import { createAnnotator } from './annotators/annotator.js';
import { createObjectDetector, type ObjectDetector } from './detectors/object-detector.js';
import { createForeignModels } from './onnx/foreign-model.js';
import { createFaceModel, type FaceModel } from './faces/face-model.js';
import type { LatentFormat } from './denoiser/latent-format.js';
import type { FamilyText } from './families/family.js';
import { splitText } from './families/text/split-text.js';
import { recogniseCheckpoint } from './families/recognise.js';
import type { Folders } from './folders/folders.js';
import { ModelError } from './model-error.js';
import type { Checkpoint, ModelStore } from './model-store.js';
import type { ProgramCache } from './programs/program-cache.js';
import { withFloat32Products } from './files/gguf-products.js';
import { openTorchModule } from './files/torch-file/torch-module.js';
import { openEmbeddingFile, openModelFile } from './files/model-file.js';
import { fileIdentity, safetensorsWeights } from './files/safetensors-weights.js';
import { withoutScales } from './files/scaled-weights.js';
import { createSegmentationModel } from './segment-anything/segment-anything.js';
import { createTextEncoders } from './text/create-text-encoders.js';
import type { TextEncoders } from './text/text-encoders.js';
import { userVocabularies } from './text/vocabularies/vocabularies.js';
import { embeddingFiles } from './text/embeddings.js';
import { createIpAdapter } from './ip-adapter/ip-adapter.js';
import { createGroundingModel } from './grounding/gligen.js';
import { createHypernetwork } from './hypernetwork/hypernetwork.js';
import type { ImageEncoder } from './vision/image-encoder.js';
import { visionLayout } from './vision/layouts.js';
import { createSafetyChecker } from './vision/safety-checker.js';
import { createStyleModel } from './vision/style-model.js';
import { createImageEncoder } from './vision/vision-tower.js';
import { createUpscaler, type Upscaler } from './upscale/upscaler.js';
import { createAutoencoder } from './vae/autoencoder.js';
import { checkpointPrefix } from './vae/config.js';
import { tinyWeights } from './vae/tiny-files.js';
import type { VaeModel } from './vae/vae-model.js';
import type { WeightSource } from './weights/weight-source.js';
import { underPrefix } from './weights/weight-views.js';

export interface ModelStoreOptions {
  readonly programs: ProgramCache;
  readonly folders: Folders;
  /** Told what is left out or done differently than asked: a missing embedding, a VAE that works in tiles. */
  readonly warn?: (message: string) => void;
}

/** What was opened of a file, while its date and size stay the same. */
interface OpenFile {
  readonly stamp: string;
  readonly weights: WeightSource;
  readonly metadata: Readonly<Record<string, string>>;
  checkpoint?: Checkpoint;
  diffusionModel?: DiffusionModel;
  vae?: VaeModel;
  upscaler?: Upscaler;
  control?: ControlNetwork;
  imageEncoder?: ImageEncoder;
  face?: FaceModel;
}

/** Opens model files once each, and again when they have changed on disk. */
export function createModelStore(options: ModelStoreOptions): ModelStore {
  const { programs, folders, warn } = options;
  const files = new Map<string, OpenFile>();
  const detectors = new Map<string, { readonly stamp: string; readonly detector: ObjectDetector }>();
  const onnx = createForeignModels();

  function open(path: string, openFile = openModelFile): OpenFile {
    const known = files.get(path);
    const stamp = stampOf(path);
    if (known?.stamp === stamp) return known;
    // A replaced file stays mapped for the models made from it, until they are forgotten.
    files.delete(path);
    const opened = openFile(path);
    const { metadata } = opened;
    const file = { stamp, metadata, weights: withoutScales(safetensorsWeights(opened), metadata) };
    files.set(path, file);
    return file;
  }

  function vaeOf(weights: WeightSource): VaeModel {
    return createAutoencoder(weights, programs, warn === undefined ? {} : { notify: warn });
  }

  const store: ModelStore = {
    checkpoint(path) {
      const file = open(path);
      file.checkpoint ??= openCheckpoint(path, file.weights);
      return file.checkpoint;
    },
    diffusionModel(path, { ggufProducts = 'float16' } = {}) {
      const file = open(path);
      if (ggufProducts === 'float32') return openDiffusionModel(withFloat32Products(file.weights));
      file.diffusionModel ??= openDiffusionModel(file.weights);
      return file.diffusionModel;
    },
    vae(path) {
      if (typeof path !== 'string') return vaeOf(tinyWeights(path, (each) => open(each).weights));
      const file = open(path);
      file.vae ??= vaeOf(
        hasKey(file.weights, checkpointPrefix) ? underPrefix(file.weights, checkpointPrefix) : file.weights,
      );
      return file.vae;
    },
    upscaler(path) {
      const file = open(path);
      file.upscaler ??= createUpscaler(file.weights, programs, warn === undefined ? {} : { notify: warn });
      return file.upscaler;
    },
    control(path, model) {
      const file = open(path);
      if (model !== undefined) return openControl(file.weights, { programs, warn, model: model.weights });
      file.control ??= openControl(file.weights, { programs, warn });
      return file.control;
    },
    imageEncoder(path) {
      const file = open(path);
      file.imageEncoder ??= createImageEncoder(visionLayout(file.weights), programs);
      return file.imageEncoder;
    },
    hypernetwork(path) {
      const { weights, metadata } = open(path);
      return createHypernetwork(weights, metadata);
    },
    grounding: (path) => createGroundingModel(open(path).weights),
    ipAdapter: (path) => createIpAdapter(open(path).weights, programs),
    safetyChecker: (path) => createSafetyChecker(open(path).weights, programs),
    style: (path) => createStyleModel(open(path).weights, programs),
    face(path) {
      const file = open(path);
      file.face ??= createFaceModel(file.weights, programs);
      return file.face;
    },
    annotator: (path, kind) => createAnnotator(open(path).weights, kind, programs),
    objectDetector(path) {
      const stamp = stampOf(path);
      const known = detectors.get(path);
      if (known?.stamp === stamp) return known.detector;
      const detector = createObjectDetector(openTorchModule(path), programs);
      detectors.set(path, { stamp, detector });
      return detector;
    },
    segmentation: (path) => createSegmentationModel(open(path).weights, programs),
    onnx,
    weights: (path) => open(path).weights,
    async free(path) {
      files.delete(path);
      await programs.free((key) => key.includes(fileIdentity(path)));
    },
    textEncoders(paths, type) {
      const weights = paths.map((path) => open(path).weights);
      return textEncodersOf(splitText(weights, type));
    },
  };

  const embeddings = embeddingFiles(folders, (file) => open(file, openEmbeddingFile).weights);
  const vocabularies = userVocabularies(folders);

  function textEncodersOf(text: FamilyText): TextEncoders {
    return createTextEncoders({
      ...text,
      ...{ programs, embeddings, vocabularies },
      ...(warn === undefined ? {} : { warn }),
    });
  }

  function openDiffusionModel(weights: WeightSource): DiffusionModel {
    return createDiffusionModel(recogniseCheckpoint(weights).denoiser, programs);
  }

  function openCheckpoint(path: string, weights: WeightSource): Checkpoint {
    const { denoiser, text, vae, imageEncoder } = recogniseCheckpoint(weights);
    return {
      model: createDiffusionModel(denoiser, programs),
      clip: text === undefined ? missingTextEncoders(path, weights.identity) : textEncodersOf(text),
      vae: vae === undefined ? missingVae(path, weights.identity, denoiser.latentFormat) : vaeOf(vae),
      ...(imageEncoder === undefined ? {} : { imageEncoder: createImageEncoder(imageEncoder, programs) }),
    };
  }

  return store;
}

/** Changes when a file does. */
function stampOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  return `${status?.size ?? 0}#${status?.mtimeMs ?? 0}`;
}

function hasKey(weights: WeightSource, prefix: string): boolean {
  for (const key of weights.keys()) if (key.startsWith(prefix)) return true;
  return false;
}

/** Checkpoints of families whose text encoders come in files of their own are loaded all the same; only use of these is an error. */
function missingTextEncoders(path: string, identity: string): TextEncoders {
  const error = () =>
    new ModelError(
      `${path} has no text encoders: load them with CLIPLoader or its kin and link these instead`,
    );
  const fail = () => Promise.reject(error());
  const encoders: TextEncoders = {
    identity: `${identity} without text encoders`,
    weights: {},
    loraNames: () => [],
    encode: fail,
    encodeParts: fail,
    withLayer: () => encoders,
    withLengths: () => encoders,
    withPatches: () => encoders,
  };
  return encoders;
}

/** Checkpoints without a VAE are loaded all the same; only its use is an error. */
function missingVae(path: string, identity: string, { downscale, channels }: LatentFormat): VaeModel {
  const fail = () =>
    Promise.reject(new ModelError(`${path} has no VAE: load one with VAELoader and link that instead`));
  return {
    identity: `${identity} without VAE`,
    downscale,
    latentChannels: channels,
    decode: fail,
    encode: fail,
  };
}
