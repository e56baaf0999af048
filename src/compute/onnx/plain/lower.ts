import type { Graph, Operation } from '../../graph.js';
import { OnnxModel } from '../model.js';
import {
  lowerActivation,
  lowerAdd,
  lowerAddPerChannel,
  lowerAddRows,
  lowerGeglu,
  lowerScale,
} from './activation.js';
import { lowerAttention } from './attention.js';
import { LoweringContext, type Lowering } from './context.js';
import { lowerConv2d, lowerLinear } from './dense.js';
import {
  lowerConcat,
  lowerSelectToken,
  lowerSpatialToTokens,
  lowerTokensToSpatial,
  lowerUpsampleNearest,
} from './layout.js';
import { lowerGroupNorm, lowerLayerNorm } from './normalization.js';
import { PART_LOWERINGS } from './parts.js';
import { RESTORATION_LOWERINGS } from './restoration.js';
import { PICTURE_LOWERINGS } from './pictures.js';

const LOWERINGS: { readonly [Kind in Operation['kind']]: Lowering<Kind> } = {
  conv2d: lowerConv2d,
  linear: lowerLinear,
  group_norm: lowerGroupNorm,
  layer_norm: lowerLayerNorm,
  activation: lowerActivation,
  geglu: lowerGeglu,
  attention: lowerAttention,
  add: lowerAdd,
  scale: lowerScale,
  add_per_channel: lowerAddPerChannel,
  add_rows: lowerAddRows,
  concat: lowerConcat,
  upsample_nearest: lowerUpsampleNearest,
  spatial_to_tokens: lowerSpatialToTokens,
  tokens_to_spatial: lowerTokensToSpatial,
  select_token: lowerSelectToken,
  ...PART_LOWERINGS,
  ...RESTORATION_LOWERINGS,
  ...PICTURE_LOWERINGS,
};

function lowerOperation(operation: Operation, context: LoweringContext): string {
  // The table pairs each kind with its own lowering; TypeScript can't follow the pairing through a lookup by union.
  const lower = LOWERINGS[operation.kind] as Lowering<Operation['kind']>;
  return lower(operation, context);
}

/** Writes a graph as an ONNX model whose symbolic extents stay dynamic. */
export function lowerGraph(graph: Graph): OnnxModel {
  const model = new OnnxModel(graph.name);
  const context = new LoweringContext(model);
  for (const { name, value } of graph.inputs) {
    context.bind(value, model.input(name, value.dtype, value.shape));
  }
  for (const { layer, operation, output } of graph.nodes) {
    context.enter(layer);
    context.bind(output, lowerOperation(operation, context));
  }
  for (const { name, value } of graph.outputs) {
    model.output(name, context.name(value), value.dtype, value.shape);
  }
  return model;
}
