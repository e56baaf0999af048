/**
 * latentd as a library: runs ComfyUI workflows in the process that imports it.
 *
 * @example
 * import { createEngine, describeReport } from 'latentd';
 *
 * const engine = createEngine({ folders: { models: './models', output: './output' } });
 * const result = await engine.run(workflow, { onEvent: (event) => console.error(event.type) });
 * if (result.status === 'invalid') console.error(describeReport(result.report));
 */
export { createEngine, type EngineOptions } from './engine/create-engine.js';
export type { Engine, EngineResult, InvalidResult, RunOptions, WorkflowSource } from './engine/engine.js';
export { createFolders, type FolderOptions, type Folders, type ModelKind } from './models/folders.js';
export type { LatentRgb } from './nodes/context.js';
export type { NodeUi, SavedFile } from './nodes/definition.js';
export type { NodeError, NodeTiming, RunEvent, RunResult } from './workflow/events.js';
export {
  describeReport,
  WorkflowError,
  type Fault,
  type FaultReport,
  type NodeFaults,
} from './workflow/faults.js';
export type { InputInfo, NodeInfo } from './workflow/object-info.js';
export { parseWorkflow, workflowFromObject, type Workflow, type WorkflowNode } from './workflow/parse.js';
export type { Tensor } from './compute/tensor.js';
