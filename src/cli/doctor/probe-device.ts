/** `node probe-device.js DEVICE`: runs the smallest model there and exits with 0, or prints why it can't and exits with 1. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../../compute/graph.js';
import { lowerGraph } from '../../compute/onnx/plain/lower.js';

const device = process.argv[2] ?? 'cpu';
try {
  const graph = new GraphBuilder('probe');
  const x = graph.input('x', [1]);
  graph.output('y', graph.scale(x, 2));
  const session = await InferenceSession.create(lowerGraph(graph.build()).serialize(), {
    executionProviders: [device],
  });
  const { y } = await session.run({ x: new Tensor('float32', [21], [1]) });
  if (y?.data[0] !== 42) throw new Error(`computes 2 × 21 = ${String(y?.data[0])}`);
} catch (error) {
  console.log((error instanceof Error ? error.message : String(error)).trim().replaceAll('\n', ' '));
  process.exitCode = 1;
}
