/** From a checkpoint's header to the bytes that ONNX Runtime is given, step by step; hardly a weight is read. */
import { lowerChannelMajor } from '../src/compute/onnx/channel-major/lower.js';
import { fullUnet } from './harness/full-unet.js';
import { comparison } from './harness/comparison.js';
import { contest } from './harness/contest.js';

comparison(
  'graph-building',
  'From a full-size checkpoint’s header to the bytes that ONNX Runtime is given, step by step.',
  async (results) => {
    const unet = fullUnet();
    results.note('checkpoint', unet.name);
    const graph = unet.buildGraph();
    const { model } = lowerChannelMajor(graph);
    await contest(results, 'a UNet, until it is ONNX', [
      {
        name: 'header read, family recognised',
        run: () => {
          unet.open();
        },
      },
      { name: 'graph, layer by layer', run: () => unet.buildGraph() },
      { name: 'ONNX for our kernels', run: () => lowerChannelMajor(graph) },
      { name: 'protobuf', run: () => model.serialize() },
    ]);
  },
);
