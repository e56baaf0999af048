/**
 * ESRGAN: residual-in-residual dense blocks, then nearest neighbour and convolutions (Wang et al., 2018; spandrel
 * architectures/ESRGAN). Files keep it in three layouts, of which the old one's keys are used here; ESRGAN+ adds 1×1
 * convolutions, Real-ESRGAN's 1× and 2× models fold pixels into channels first.
 */
import type { Value } from '../../compute/graph.js';
import { scaled } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';
import { derived } from '../weights/weight-views.js';
import { hasAll, pictureGraph, sequenceLength, type PictureLayers, type UpscaleFamily } from './network.js';

const slope = 0.2;
/** What a block's result counts beside its input. */
const residualScale = 0.2;

export const esrgan: UpscaleFamily = {
  name: 'ESRGAN',
  recognises: (weights) =>
    hasAll(weights, 'model.0.weight', 'model.1.sub.0.RDB1.conv1.0.weight') ||
    hasAll(weights, 'model.0.weight', 'model.1.sub.0.RDB1.conv1x1.weight') ||
    hasAll(
      weights,
      'conv_first.weight',
      'body.0.rdb1.conv1.weight',
      'conv_body.weight',
      'conv_last.weight',
    ) ||
    hasAll(
      weights,
      ...['conv_first.weight', 'RRDB_trunk.0.RDB1.conv1.weight', 'trunk_conv.weight', 'conv_last.weight'],
    ),
  read(source) {
    const weights = oldLayout(source);
    const layers = sequenceLength(weights, 'model');
    const upsamplings = Math.max(Math.floor((layers - 5) / 3), 0);
    const blocks = sequenceLength(weights, 'model.1.sub') - 1;
    const inputs = weights.weight('model.0.weight').shape[1]!;
    const outputChannels = weights.weight(`model.${layers - 1}.weight`).shape[0]!;
    const shuffle = inputs === 4 * outputChannels ? 2 : inputs === 16 * outputChannels ? 4 : 1;
    const inputChannels = inputs / shuffle ** 2;
    return {
      architecture: 'ESRGAN',
      scale: 2 ** upsamplings / shuffle,
      inputChannels,
      outputChannels,
      minimumSide: 2,
      multipleOf: shuffle === 1 ? 1 : 4,
      ignoresOtherKeys: weights !== source,
      graph: () =>
        pictureGraph('esrgan', inputChannels, weights, (nn, x) => {
          const features = shuffle === 1 ? x : nn.graph.pixelUnshuffle(x, shuffle);
          return rrdbNet(nn, weights, features, { blocks, upsamplings });
        }),
    };
  },
};

function rrdbNet(
  nn: PictureLayers,
  weights: WeightSource,
  x: Value,
  { blocks, upsamplings }: { readonly blocks: number; readonly upsamplings: number },
): Value {
  const { graph } = nn;
  const conv = (from: Value, path: string) => nn.conv2d(from, path, { padding: 1 });
  const first = conv(x, 'model.0');
  let features = first;
  for (let block = 0; block < blocks; block++) {
    features = rrdb(nn, weights, features, `model.1.sub.${block}`);
  }
  features = graph.add(conv(features, `model.1.sub.${blocks}`), first);
  for (let step = 1; step <= upsamplings; step++) {
    const enlarged = graph.upsampleNearest(features, 2);
    features = graph.leakyRelu(conv(enlarged, `model.${3 * step}`), slope);
  }
  const last = 3 * upsamplings + 2;
  return conv(graph.leakyRelu(conv(features, `model.${last}`), slope), `model.${last + 2}`);
}

function rrdb(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  let inner = x;
  for (const part of [1, 2, 3]) inner = denseBlock(nn, weights, inner, `${path}.RDB${part}`);
  return graph.add(graph.scale(inner, residualScale), x);
}

/** Five convolutions, each of everything before it. */
function denseBlock(nn: PictureLayers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  const parts = [x];
  const plus = weights.has(`${path}.conv1x1.weight`);
  for (const index of [1, 2, 3, 4]) {
    const joined = parts.length === 1 ? x : graph.concat(parts, 1);
    let next = graph.leakyRelu(nn.conv2d(joined, `${path}.conv${index}.0`, { padding: 1 }), slope);
    if (plus && index === 2) next = graph.add(nn.conv2d(x, `${path}.conv1x1`), next);
    if (plus && index === 4) next = graph.add(next, parts[2]!);
    parts.push(next);
  }
  // The factor goes into the last convolution, which then takes the residual along.
  const last = graph.within(`${path}.conv5.0`, () => {
    const [weight, bias] = ['weight', 'bias'].map((name) =>
      scaled(weights.weight(`${path}.conv5.0.${name}`), residualScale),
    );
    return graph.conv2d(graph.concat(parts, 1), weight!, bias, { padding: 1 });
  });
  return graph.add(last, x);
}

/** Weights under the old layout's keys. */
function oldLayout(source: WeightSource): WeightSource {
  if (!source.has('conv_first.weight')) return source;
  const keys = [...source.keys()];
  const blocks = Math.max(sequenceLength(source, 'body'), sequenceLength(source, 'RRDB_trunk'));
  const upsamplings = Math.max(
    0,
    ...keys.map((key) => Number(/^(?:upconv|conv_up)(\d)\./.exec(key)?.[1] ?? 0)),
  );
  const renamed = new Map<string, string>();
  for (const key of keys) {
    const own = key
      .replace(/^conv_first\./, 'model.0.')
      .replace(/^(?:trunk_conv|conv_body)\./, `model.1.sub.${blocks}.`)
      .replace(/^(?:RRDB_trunk|body)\.(\d+)\.(?:RDB|rdb)(\d)\.conv(\d+)\./, 'model.1.sub.$1.RDB$2.conv$3.0.')
      .replace(/^(?:RRDB_trunk|body)\.(\d+)\.(?:RDB|rdb)(\d)\.conv1x1\./, 'model.1.sub.$1.RDB$2.conv1x1.')
      .replace(/^(?:upconv|conv_up)(\d)\./, (_, step: string) => `model.${3 * Number(step)}.`)
      .replace(/^(?:HRconv|conv_hr)\./, `model.${3 * upsamplings + 2}.`)
      .replace(/^conv_last\./, `model.${3 * upsamplings + 4}.`);
    renamed.set(own, key);
  }
  return derived(source, 'esrgan', renamed);
}
