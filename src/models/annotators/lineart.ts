/** Line drawings by a generator of residual blocks (comfyui_controlnet_aux src/custom_controlnet_aux/lineart, Generator). */
import type { Value } from '../../compute/graph.js';
import { countOf } from '../weights/count-of.js';
import {
  annotatorGraph,
  instanceNorm,
  transposedConv2d,
  type AnnotatorFamily,
  type AnnotatorLayers,
} from './network.js';

/** From colours of 0 to 1 to how much of a line there isn't. */
export const lineart: AnnotatorFamily = {
  name: 'LineArt',
  recognises: (weights) => weights.has('model0.1.weight') && weights.has('model4.1.weight'),
  multipleOf: 4,
  graph: (weights) =>
    annotatorGraph('lineart', weights, (nn, x) => {
      const { graph } = nn;
      let features = active(nn, mirroredConv(nn, x, 'model0.1', 3));
      for (const path of ['model1.0', 'model1.3']) {
        features = active(nn, nn.conv2d(features, path, { stride: 2, padding: 1 }));
      }
      for (let block = 0; block < countOf(weights, 'model2'); block++) {
        const path = `model2.${block}.conv_block`;
        const inner = active(nn, mirroredConv(nn, features, `${path}.1`, 1));
        const outer = instanceNorm(nn, mirroredConv(nn, inner, `${path}.5`, 1));
        features = graph.add(features, graph.cropLike(outer, features));
      }
      for (const path of ['model3.0', 'model3.3']) {
        features = active(nn, transposedConv2d(nn, weights, features, path, { stride: 2, padding: 1 }));
      }
      return graph.activation(mirroredConv(nn, features, 'model4.1', 3), 'sigmoid');
    }),
};

function mirroredConv(nn: AnnotatorLayers, x: Value, path: string, margin: number): Value {
  return nn.conv2d(nn.graph.padReflect(x, [margin, margin, margin, margin]), path);
}

function active(nn: AnnotatorLayers, x: Value): Value {
  return nn.graph.activation(instanceNorm(nn, x), 'relu');
}
