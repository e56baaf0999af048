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
  type AnyNodeClass,
  type InputCheck,
  type InputSpec,
  type InputSpecs,
  type InputValue,
  type InputValues,
  type NodeClass,
  type NodeResult,
  type NodeUi,
  type OutputSpec,
  type SavedFile,
} from './definition.js';
export type { DynamicPrompt, HiddenInputs, HiddenName } from './hidden.js';
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
