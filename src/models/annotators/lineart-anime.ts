/** Line drawings of drawn pictures by a U-shaped generator (comfyui_controlnet_aux src/custom_controlnet_aux/lineart_anime, UnetGenerator). */
import type { Value } from '../../compute/graph.js';
import { annotatorGraph, instanceNorm, transposedConv2d, type AnnotatorFamily } from './network.js';

const OUTERMOST = 'model.model.0.weight';

/** From colours of −1 to 1 to paper of −1 to 1. */
export const lineartAnime: AnnotatorFamily = {
  name: 'LineArt anime',
  recognises: (weights) => weights.has(OUTERMOST) && weights.has('model.model.1.model.1.weight'),
  multipleOf: 256,
  graph: (weights) =>
    annotatorGraph('lineart anime', weights, (nn, x) => {
      const { graph } = nn;
      const up = (inner: Value, path: string) =>
        transposedConv2d(nn, weights, graph.activation(inner, 'relu'), path, { stride: 2, padding: 1 });
      const block = (outer: Value, path: string): Value => {
        // The reference activates in place, so what goes past the block is activated too.
        const before = graph.leakyRelu(outer, 0.2);
        const down = nn.conv2d(before, `${path}.1`, { stride: 2, padding: 1 });
        const isInnermost = !weights.has(`${path}.3.model.1.weight`);
        const inner = isInnermost ? down : block(instanceNorm(nn, down), `${path}.3.model`);
        const result = up(inner, isInnermost ? `${path}.3` : `${path}.5`);
        return graph.concat([before, graph.cropLike(instanceNorm(nn, result), before)], 1);
      };
      const first = nn.conv2d(x, 'model.model.0', { stride: 2, padding: 1 });
      return graph.activation(up(block(first, 'model.model.1.model'), 'model.model.3'), 'tanh');
    }),
};
