/**
 * Soft edges by convolutions of pixel differences (PiDiNet, Su et al., 2021; comfyui_controlnet_aux src/custom_controlnet_aux/pidi), in the
 * arrangement `carv4` that its one model has. Every such convolution is a plain one with other weights.
 */
import type { Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';
import { annotatorGraph, type AnnotatorFamily, type AnnotatorLayers } from './network.js';

/** Differences to the centre, to the neighbour round the window, to the next ring; and none. */
type Difference = 'central' | 'angular' | 'radial' | 'none';

const DIFFERENCES: readonly Difference[] = ['central', 'angular', 'radial', 'none'];

/** From blue, green, red of 0 to 1 to edges of 0 to 1. */
export const pidinet: AnnotatorFamily = {
  name: 'PiDiNet',
  recognises: (weights) => weights.has('init_block.weight') && weights.has('block1_1.conv1.weight'),
  multipleOf: 8,
  graph: (weights) =>
    annotatorGraph('pidinet', weights, (nn, x) => {
      const { graph } = nn;
      const first = differenceKernel(weights.weight('init_block.weight'), 'central');
      let features = graph.conv2d(x, first, undefined, { padding: 1 });
      const edges = [1, 2, 3, 4].map((stage) => {
        for (let block = 1; weights.has(`block${stage}_${block}.conv1.weight`); block++) {
          // The first stage's first layer was the convolution above.
          const layer = stage === 1 ? block : block - 1;
          features = differenceBlock(
            nn,
            weights,
            features,
            `block${stage}_${block}`,
            DIFFERENCES[layer % 4]!,
          );
        }
        const fused = attended(
          nn,
          dilated(nn, weights, features, `dilations.${stage - 1}`),
          `attentions.${stage - 1}`,
        );
        return graph.resizeTo(nn.conv2d(fused, `conv_reduces.${stage - 1}.conv`), x);
      });
      return graph.activation(nn.conv2d(graph.concat(edges, 1), 'classifier'), 'sigmoid');
    }),
};

function differenceBlock(
  nn: AnnotatorLayers,
  weights: WeightSource,
  x: Value,
  path: string,
  kind: Difference,
): Value {
  const { graph } = nn;
  const isSmaller = weights.has(`${path}.shortcut.weight`);
  const pooled = isSmaller ? graph.maxPool(x, { size: 2, stride: 2, padding: 0 }) : x;
  const kernel = differenceKernel(weights.weight(`${path}.conv1.weight`), kind);
  const [channels = 1, , side = 3] = kernel.shape;
  const options = { stride: 1, padding: (side - 1) / 2, groups: channels };
  const differences = graph.within(path, () => graph.groupedConv2d(pooled, kernel, undefined, options));
  const result = nn.conv2d(graph.activation(differences, 'relu'), `${path}.conv2`);
  return graph.add(result, isSmaller ? nn.conv2d(pooled, `${path}.shortcut`) : pooled);
}

/** Of which place each place's neighbour against the clock is. */
const ROUND = [3, 0, 1, 6, 4, 2, 7, 8, 5];
/** Where the outer and the inner ring of a 5×5 window lie, for the taps behind the first. */
const OUTER = [0, 2, 4, 10, 14, 20, 22, 24];
const INNER = [6, 7, 8, 11, 13, 16, 17, 18];

function differenceKernel(weight: Weight, kind: Difference): Weight {
  if (kind === 'none') return weight;
  const [outputs = 0, inputs = 0] = weight.shape;
  const side = kind === 'radial' ? 5 : 3;
  return computed(weight.name, [outputs, inputs, side, side], () => {
    const values = valuesOf(weight);
    const result = new Float32Array(outputs * inputs * side * side);
    for (let pair = 0; pair < outputs * inputs; pair++) {
      const taps = values.subarray(pair * 9, pair * 9 + 9);
      const into = result.subarray(pair * side * side, (pair + 1) * side * side);
      if (kind === 'central') {
        into.set(taps);
        into[4]! -= taps.reduce((sum, tap) => sum + tap, 0);
      } else if (kind === 'angular') {
        taps.forEach((tap, at) => (into[at] = tap - taps[ROUND[at]!]!));
      } else {
        taps.subarray(1).forEach((tap, at) => {
          into[OUTER[at]!] = tap;
          into[INNER[at]!] = -tap;
        });
      }
    }
    return result;
  });
}

/** Four convolutions with taps ever further apart, together (CDCM). */
function dilated(nn: AnnotatorLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  const narrow = nn.conv2d(graph.activation(x, 'relu'), `${path}.conv1`);
  return [5, 7, 9, 11]
    .map((dilation, at) => {
      const weight = weights.weight(`${path}.conv2_${at + 1}.weight`);
      const options = { stride: 1, padding: dilation, groups: 1, dilation };
      return graph.within(path, () => graph.groupedConv2d(narrow, weight, undefined, options));
    })
    .reduce((sum, part) => graph.add(sum, part));
}

/** Times a map of where it matters (CSAM). */
function attended(nn: AnnotatorLayers, x: Value, path: string): Value {
  const { graph } = nn;
  const narrow = nn.conv2d(graph.activation(x, 'relu'), `${path}.conv1`);
  const map = graph.activation(nn.conv2d(narrow, `${path}.conv2`, { padding: 1 }), 'sigmoid');
  return graph.multiply(x, map);
}
