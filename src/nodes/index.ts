/** Every node class, by its ComfyUI name. Adding a node is adding an entry to one of these files. */
import * as combineVideo from './combine-video.js';
import * as compositeMasked from './composite-masked.js';
import * as conditioning from './conditioning.js';
import * as conditioningArea from './conditioning-area.js';
import * as customSampling from './custom-sampling.js';
import type { AnyNodeClass } from './definition.js';
import * as faces from './faces.js';
import * as filmBatches from './film-batches.js';
import * as guidance from './guidance.js';
import * as guiders from './guiders.js';
import * as imageAlpha from './image-alpha.js';
import * as imageBasics from './image-basics.js';
import * as imageQuantize from './image-quantize.js';
import * as imageResize from './image-resize.js';
import * as imageStitch from './image-stitch.js';
import * as inpainting from './inpainting.js';
import * as latentBatch from './latent-batch.js';
import * as latentBlend from './latent-blend.js';
import * as latentComposite from './latent-composite.js';
import * as latentCut from './latent-cut.js';
import * as latentFiles from './latent-files.js';
import * as latentResize from './latent-resize.js';
import * as latentTransform from './latent-transform.js';
import * as loadAudio from './load-audio.js';
import * as loadImage from './load-image.js';
import * as loadVideo from './load-video.js';
import * as loaders from './loaders.js';
import * as lora from './lora.js';
import * as masks from './masks.js';
import * as maskShapes from './mask-shapes.js';
import * as modelSampling from './model-sampling.js';
import * as noise from './noise.js';
import * as postProcessing from './post-processing.js';
import * as samplers from './samplers.js';
import * as sampling from './sampling.js';
import * as saveImage from './save-image.js';
import * as schedulers from './schedulers.js';
import * as sigmas from './sigmas.js';
import * as textEncoding from './text-encoding.js';
import * as unetChanges from './unet-changes.js';
import * as upscaleModel from './upscale-model.js';
import * as vae from './vae.js';
import * as videoInfo from './video-info.js';

export type NodeRegistry = ReadonlyMap<string, AnyNodeClass>;

const families: readonly Readonly<Record<string, AnyNodeClass>>[] = [
  loaders,
  lora,
  textEncoding,
  conditioning,
  conditioningArea,
  vae,
  inpainting,
  sampling,
  customSampling,
  samplers,
  schedulers,
  sigmas,
  guiders,
  noise,
  modelSampling,
  guidance,
  unetChanges,
  latentFiles,
  latentBatch,
  latentResize,
  latentTransform,
  latentBlend,
  latentComposite,
  latentCut,
  compositeMasked,
  loadImage,
  saveImage,
  imageBasics,
  imageResize,
  imageStitch,
  imageAlpha,
  postProcessing,
  imageQuantize,
  upscaleModel,
  faces,
  masks,
  maskShapes,
  loadVideo,
  loadAudio,
  combineVideo,
  videoInfo,
  filmBatches,
];

export const nodeClasses: NodeRegistry = new Map(
  families.flatMap((family) => Object.values(family)).map((node) => [node.name, node]),
);
