/** `node probe-device.js DEVICE`: runs the smallest model there and exits with 0, or prints why it can't and exits with 1. */
import { InferenceSession, OrtTensor } from '../../native/onnxruntime-node.js';
import { openCuda } from '../../compute/cuda/open.js';
import { GraphBuilder, type Graph } from '../../compute/graph.js';
import { lowerGraph } from '../../compute/onnx/plain/lower.js';
import { tensor } from '../../compute/tensor.js';

const device = process.argv[2] ?? 'cpu';
try {
  const graph = new GraphBuilder('probe');
  const x = graph.input('x', [1]);
  graph.output('y', graph.scale(x, 2));
  const result = device === 'cuda' ? await onCard(graph.build()) : await inOnnxRuntime(graph.build());
  if (result !== 42) throw new Error(`computes 2 × 21 = ${String(result)}`);
} catch (error) {
  console.log((error instanceof Error ? error.message : String(error)).trim().replaceAll('\n', ' '));
  process.exitCode = 1;
}

async function onCard(graph: Graph): Promise<unknown> {
  const { backend, device: card } = openCuda();
  const program = await backend.load(graph);
  const { y } = await program.run({ x: tensor([1], Float32Array.of(21)) });
  console.log(`${card.info.name}, compute capability ${card.info.capability}, ${card.info.library}`);
  return y?.data[0];
}

async function inOnnxRuntime(graph: Graph): Promise<unknown> {
  const session = await InferenceSession.create(lowerGraph(graph).serialize(), {
    executionProviders: [device],
  });
  const { y } = await session.run({ x: new OrtTensor('float32', [21], [1]) });
  return y?.data[0];
}
