/**
 * latentd as a library: runs ComfyUI workflows in the process that imports it.
 *
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { createEngine, describeReport } from 'latentd';
 *
 * const workflow = await readFile('workflow.json', 'utf8');
 * const engine = createEngine({ folders: { models: './models', output: './output' } });
 * const result = await engine.run(workflow, { onEvent: (event) => console.error(event.type) });
 * if (result.status === 'invalid') console.error(describeReport(result.report));
 *
 * @module latentd
 */
export { createEngine, type EngineOptions } from './engine/create-engine.js';
export type {
  Engine,
  EngineResult,
  InvalidResult,
  RunOptions,
  WorkflowCheck,
  WorkflowSource,
} from './engine/engine.js';
export { loadNodePacks, NodePackError } from './engine/node-packs.js';
export { openPictureModels, type PictureModelOptions, type PictureModels } from './engine/picture-models.js';
export { tensor, type Tensor } from './compute/tensor.js';
export type { FaceChoice } from './models/faces/detection.js';
export { DETECTOR_NAMES, type DetectorName, type FaceModelNames } from './models/faces/face-files.js';
export type { FaceDetector, FaceParser, FaceRestorer } from './models/faces/face-model.js';
export { restoreFaces, type FaceOptions, type FaceTools } from './models/faces/restore-faces.js';
export { ModelError } from './models/model-error.js';
export type { Upscaler, UpscaleOptions } from './models/upscale/upscaler.js';
export { VideoError } from './video/video-error.js';
export {
  processFilm,
  type FilmOptions,
  type FilmProgress,
  type FilmResult,
  type FrameProcessor,
} from './video/film.js';
export { createFolders, type FolderOptions, type Folders } from './models/folders/folders.js';
export type { ModelKind } from './models/folders/model-folders.js';
export type { LatentRgb, TinyDecoder } from './nodes/context.js';
export type { NodeUi, SavedFile } from './nodes/definition.js';
export type { NodeError, NodeTiming, RunEvent, RunResult } from './workflow/events.js';
export {
  describeReport,
  WorkflowError,
  type Fault,
  type FaultReport,
  type NodeFaults,
} from './workflow/faults.js';
export { workflowFileText, workflowText } from './workflow/file-text.js';
export type { InputInfo, NodeInfo } from './workflow/object-info.js';
export { parseWorkflow, workflowFromObject, type Workflow, type WorkflowNode } from './workflow/parse.js';
