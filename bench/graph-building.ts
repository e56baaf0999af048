/**
 * From a checkpoint's keys to the bytes that ONNX Runtime is given, step by step; no weight is read. Milliseconds a graph.
 * `CHECKPOINT=… npx vitest bench --run bench/graph-building.ts`
 */
import { bench, describe } from 'vitest';
import { lowerChannelMajor } from '../src/compute/onnx/channel-major/lower.js';
import { buildGraph } from './full-unet.js';

const graph = buildGraph();
const { model } = lowerChannelMajor(graph);

describe('a full-size UNet', () => {
  bench('graph, layer by layer', () => {
    buildGraph();
  });
  bench('ONNX for our kernels', () => {
    lowerChannelMajor(graph);
  });
  bench('protobuf', () => {
    model.serialize();
  });
});
