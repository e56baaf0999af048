/**
 * `latentd/nodes`: what node packs are made of.
 *
 * @example
 * import { defineNode, float, link, tensor } from 'latentd/nodes';
 *
 * export const nodes = [
 *   defineNode({
 *     name: 'Brighten',
 *     displayName: 'Brighten',
 *     category: 'image',
 *     description: 'Adds to every channel.',
 *     required: { image: link('IMAGE'), amount: float({ default: 0.1, min: -1, max: 1, step: 0.01 }) },
 *     optional: {},
 *     outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
 *     run({ image, amount }) {
 *       const bright = image.data.map((value) => Math.min(Math.max(value + amount, 0), 1));
 *       return { outputs: [tensor(image.shape, bright)] };
 *     },
 *   }),
 * ];
 *
 * @module latentd/nodes
 */
export { tensor, type Tensor } from '../compute/tensor.js';
export type { LatentRgb, RunContext, StepProgress, TinyDecoder } from './context.js';
export {
  autogrow,
  bigInt,
  boolean,
  combo,
  defineControlNode,
  defineNode,
  dynamicCombo,
  dynamicSlot,
  ExecutionBlocker,
  expansion,
  float,
  int,
  lazy,
  link,
  match,
  matchOutput,
  multiCombo,
  multiType,
  rawLink,
  seed,
  string,
  widget,
  type AnyNodeClass,
  type InputCheck,
  type InputSpec,
  type InputSpecs,
  type LinkInput,
  type StringInput,
  type InputValue,
  type InputValues,
  type NodeClass,
  type NodeResult,
  type NodeUi,
  type OutputSpec,
  type SavedFile,
} from './definition.js';
export type { DynamicPrompt, HiddenInputs, HiddenName } from './hidden.js';
export { clipTextEncode } from './conditioning/text-encoding.js';
export { inpaintModelConditioning } from './latent/inpainting.js';
export { latentCompositeMasked } from './image/composite-masked.js';
export { differentialDiffusion } from './model/guidance-patches.js';
export {
  conditioningAverage,
  conditioningCombine,
  conditioningConcat,
  conditioningSetTimestepRange,
} from './conditioning/conditioning.js';
export { sampleLatent, type KSamplerChoices } from './sampling/sample-latent.js';
export { sampleCustom, type CustomSampling } from './sampling/sample-custom.js';
export { partOfRun } from './sampling/progress.js';
export { samplerNames } from '../native/samplers.js';
export { schedulerNames } from '../native/addon.js';
export { kSamplerSigmas } from '../native/samplers.js';
export { alignYourStepsScheduler, gitsScheduler } from './sampling/searched-schedules.js';
export { applyLoraFile } from './files/apply-lora-file.js';
export { previewPrefix, saveImages } from './files/saved-images.js';
export { fileStamp, readInputText } from './files/input-files.js';
export {
  base64Bytes,
  givenBytes,
  isGiven,
  pictureOf,
  withAlpha,
  type DecodedPicture,
} from './files/brought-pictures.js';
export { InputFileError } from '../models/folders/folders.js';
export { modelFingerprint } from './files/model-files.js';
export type { ModelKind } from '../models/folders/model-folders.js';
export type { ForeignModel } from '../models/onnx/foreign-model.js';
export type { FoundObject, ObjectDetector } from '../models/detectors/object-detector.js';
export type { SegmentationModel } from '../models/segment-anything/segment-anything.js';
export { toPicture, type BytePicture } from '../imaging/bytes.js';
export { shorten } from '../safe-text.js';

/** ComfyUI's own classes, for those that are like them. */
export { controlNetLoader, diffControlNetLoader } from './loaders/controls.js';
export { checkpointLoaderSimple, vaeLoader } from './loaders/loaders.js';
export { unetLoader } from './loaders/unet-loader.js';
export { kSampler } from './sampling/k-sampler.js';
export { emptyLatentImage, repeatLatentBatch } from './latent/batch.js';
export { vaeEncode } from './latent/vae.js';

export { valueText } from './describe-value.js';
export { openSeries, saveNumbered, type OutputSeries } from './files/output-files.js';
export { NodeGraphBuilder, type GraphLink, type NodeGraph } from './node-graph.js';
export type {
  Conditioning,
  ConditioningEntry,
  CustomType,
  Image,
  Latent,
  Mask,
  ValueOf,
  ValueType,
  ValueTypeName,
  ValueTypes,
} from './values.js';

/** Batches of images, masks and latents: rows of them, parts of them, sizes, blurs. */
export { withChannels, greyImage, rgbOf } from '../imaging/channels.js';
export { imageAntialiased } from '../imaging/antialias.js';
export { gaussianBlur } from '../imaging/blur.js';
export { pillowGaussianBlur } from '../imaging/box-blur.js';
export { dilate, erode } from '../imaging/morphology.js';
export { dilateBySquare } from '../imaging/opencv/morphology.js';
export { outerShapes, type OuterShape } from '../imaging/opencv/outer-contours.js';
export {
  crop,
  flipColumns,
  flipRows,
  IMAGE_ROWS,
  LATENT_ROWS,
  paste,
  rotate,
  type Rectangle,
} from '../imaging/planes.js';
export { pillowResize, PILLOW_FILTERS, type PillowFilter } from '../imaging/pillow-resize.js';
export { resizeCorners } from '../imaging/resize-corners.js';
export { roundHalfEven } from '../imaging/rounding.js';
export { spreadOverBatch } from '../imaging/spread-over-batch.js';
export {
  batchOf,
  combineValues,
  concatRows,
  mapValues,
  pickRows,
  repeatRows,
  resizeBatch,
  sameRows,
  takeRows,
} from '../imaging/tensor-ops.js';
export {
  CROP_METHODS,
  IMAGE_UPSCALE_METHODS,
  LATENT_UPSCALE_METHODS,
  resizeNearest,
  upscaleImage,
  upscaleLatent,
  type ImageUpscaleMethod,
} from '../imaging/upscale.js';

/** What nodes written in Python lean on: its expressions, numbers, texts and regular expressions. */
export { roundTo } from '../python/decimal.js';
export { evaluate, ExpressionError, isTrue, type PythonFunction } from '../python/expression.js';
export { MATH_FUNCTIONS } from '../python/math-functions.js';
export { NumpyGenerator } from '../python/numpy-random.js';
export { floatOf, intOf } from '../python/numbers.js';
export { PythonRandom } from '../python/random.js';
export { compileRegex, findAll, substitute } from '../python/regex.js';
export { strftime } from '../python/strftime.js';
export { replaceText, strip } from '../python/text.js';
export { pythonStr, toPython, type PythonValue } from '../python/value.js';
