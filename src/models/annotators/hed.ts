/** Soft edges of a VGG's five stages (comfyui_controlnet_aux src/custom_controlnet_aux/hed, ControlNetHED_Apache2). */
import type { Value } from '../../compute/graph.js';
import { countOf } from '../weights/count-of.js';
import { annotatorGraph, type AnnotatorFamily } from './network.js';
import { computed, valuesOf } from '../weights/weight-values.js';

const STAGES = 5;

/** From colours of 0 to 255 to the logarithm of an edge's odds at each pixel. */
export const hed: AnnotatorFamily = {
  name: 'HED',
  recognises: (weights) => weights.has('norm') && weights.has('block5.projection.weight'),
  multipleOf: 16,
  graph: (weights) =>
    annotatorGraph('hed', weights, (nn, x) => {
      const { graph } = nn;
      const mean = weights.weight('norm');
      const below = computed('norm', mean.shape, () => valuesOf(mean).map((value) => -value));
      let features = graph.addBroadcast(x, graph.constant(below));
      let sum: Value | undefined;
      for (let stage = 1; stage <= STAGES; stage++) {
        const path = `block${stage}`;
        if (stage > 1) features = graph.maxPool(features, { size: 2, stride: 2, padding: 0 });
        for (let layer = 0; layer < countOf(weights, `${path}.convs`); layer++) {
          features = graph.activation(nn.conv2d(features, `${path}.convs.${layer}`, { padding: 1 }), 'relu');
        }
        const edges = nn.conv2d(features, `${path}.projection`);
        const whole = stage === 1 ? edges : graph.resizeTo(edges, x);
        sum = sum === undefined ? whole : graph.add(sum, whole);
      }
      return graph.scale(sum!, 1 / STAGES);
    }),
};
