/** The tiny autoencoder of latents, TAESD: a small approximation of a family's own (ComfyUI comfy/taesd/taesd.py). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { Layers } from '../programs/layers.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { workingBytes } from './memory.js';
import type { VaeNetworks } from './vae-networks.js';

/** Both networks keep three resolutions beside the latent's. */
const DOWNSCALE = 8;

const FLUX2_PATCH = 2;

const FIRST_LAYER = 'taesd_decoder.1.weight';

/** Whether `weights` are a tiny autoencoder (ComfyUI comfy/sd.py, VAE.__init__). */
export function isTiny(weights: WeightSource): boolean {
  return weights.has(FIRST_LAYER);
}

/**
 * Latents are (x − `vae_shift`) · `vae_scale` to the decoder: what the family's denoiser sees. Its pictures, and the encoder's,
 * are in [0, 1]. An encoder may be missing, until it is used. Throws `ModelError` for a kind with other layers.
 */
export function tinyNetworks(weights: WeightSource): VaeNetworks {
  const { shape } = weights.weight(FIRST_LAYER);
  const [channels = 0, own = 0] = shape;
  if (shape.length !== 4) {
    throw new ModelError(
      `${weights.path} has a tiny autoencoder of another kind than TAESD (${FIRST_LAYER}), which is not supported`,
    );
  }
  // Flux.2's latents have four of its own side by side in their channels.
  const patch = weights.has('taesd_decoder.3.pool.0.weight') ? FLUX2_PATCH : 1;
  const latentChannels = own * patch ** 2;
  const scale = scalar(weights, 'vae_scale', 1);
  const shift = scalar(weights, 'vae_shift', 0);
  return {
    downscale: DOWNSCALE * patch,
    latentChannels,
    decoder: {
      build: () => decoderGraph(weights, own),
      runBytes: (height, width) => workingBytes(channels, height * width * (DOWNSCALE * patch) ** 2),
      before: (latent) =>
        unpatched(
          mapped(latent, (value) => Math.fround(value - shift) * scale),
          patch,
        ),
      after: (pixels) => mapped(pixels, (value) => Math.fround(value - 0.5) * 2),
    },
    encoder: {
      build: () => encoderGraph(weights),
      runBytes: (height, width) => workingBytes(channels, height * width),
      before: (pixels) => mapped(pixels, (value) => Math.fround(value * 0.5) + 0.5),
      after: (latent) =>
        patched(
          mapped(latent, (value) => Math.fround(value / scale) + shift),
          patch,
        ),
    },
  };
}

/** A stage of the decoder ends with the picture doubled and a convolution; the last one, at the picture's size, doesn't. */
const DECODER_STAGES = [
  { blocks: [3, 4, 5], convolution: 7 },
  { blocks: [8, 9, 10], convolution: 12 },
  { blocks: [13, 14, 15], convolution: 17 },
];

/** Input `latent` N×C×h×w; output `pixels` N×3×8h×8w. */
function decoderGraph(weights: WeightSource, latentChannels: number): Graph {
  const graph = new GraphBuilder('tiny vae decoder');
  const layers = new Layers(graph, weights);
  const layer = (index: number) => `taesd_decoder.${index}`;
  const latent = graph.input('latent', [symbol('N'), latentChannels, symbol('H'), symbol('W')]);
  // Squeezes latents into [−3, 3] (its class Clamp).
  let x = graph.scale(graph.activation(graph.scale(latent, 1 / 3), 'tanh'), 3);
  x = graph.activation(layers.conv2d(x, layer(1), { padding: 1 }), 'relu');
  for (const { blocks, convolution } of DECODER_STAGES) {
    for (const index of blocks) x = block(layers, x, layer(index), weights);
    x = layers.conv2d(graph.upsampleNearest(x, 2), layer(convolution), { padding: 1 });
  }
  x = block(layers, x, layer(18), weights);
  graph.output('pixels', layers.conv2d(x, layer(19), { padding: 1 }));
  return graph.build();
}

/** A stage of the encoder begins with a convolution that halves the picture. */
const ENCODER_STAGES = [
  { convolution: 2, blocks: [3, 4, 5] },
  { convolution: 6, blocks: [7, 8, 9] },
  { convolution: 10, blocks: [11, 12, 13] },
];

/** Input `pixels` N×3×H×W, multiples of 8; output `latent` N×C×H/8×W/8. */
function encoderGraph(weights: WeightSource): Graph {
  const graph = new GraphBuilder('tiny vae encoder');
  const layers = new Layers(graph, weights);
  const layer = (index: number) => `taesd_encoder.${index}`;
  let x = graph.input('pixels', [symbol('N'), 3, symbol('H'), symbol('W')]);
  x = block(layers, layers.conv2d(x, layer(0), { padding: 1 }), layer(1), weights);
  for (const { convolution, blocks } of ENCODER_STAGES) {
    x = layers.conv2d(x, layer(convolution), { stride: 2, padding: 1 });
    for (const index of blocks) x = block(layers, x, layer(index), weights);
  }
  graph.output('latent', layers.conv2d(x, layer(14), { padding: 1 }));
  return graph.build();
}

/** Three convolutions beside the way past them (its class Block); in Flux.2's, behind a sum with a wider, normed layer of the same. */
function block(layers: Layers, given: Value, path: string, weights: WeightSource): Value {
  const { graph } = layers;
  let x = given;
  if (weights.has(`${path}.pool.0.weight`)) {
    const [scale, shift] = ['weight', 'bias'].map((part) => weights.weight(`${path}.pool.1.${part}`));
    const wide = graph.groupNorm(layers.conv2d(x, `${path}.pool.0`), 4, scale!, shift!, 1e-5);
    x = graph.add(x, layers.conv2d(graph.activation(wide, 'relu'), `${path}.pool.3`));
  }
  let hidden = graph.activation(layers.conv2d(x, `${path}.conv.0`, { padding: 1 }), 'relu');
  hidden = graph.activation(layers.conv2d(hidden, `${path}.conv.2`, { padding: 1 }), 'relu');
  hidden = layers.conv2d(hidden, `${path}.conv.4`, { padding: 1 });
  return graph.activation(
    graph.within(path, () => graph.add(hidden, x)),
    'relu',
  );
}

function symbol(name: string): SymbolicDim {
  return SymbolicDim.symbol(name);
}

function scalar(weights: WeightSource, key: string, otherwise: number): number {
  if (!weights.has(key)) return otherwise;
  const value = new Float32Array(1);
  weights.weight(key).read(value);
  return value[0]!;
}

/** N×(C·p·p)×h×w as N×C×hp×wp. */
function unpatched(latent: Tensor, patch: number): Tensor {
  const [count = 0, channels = 0, height = 0, width = 0] = latent.shape;
  if (patch === 1) return latent;
  const whole = tensor([count, channels / patch ** 2, height * patch, width * patch]);
  eachPatched(latent, patch, (from, to) => (whole.data[to] = latent.data[from]!));
  return whole;
}

/** The way back. */
function patched(whole: Tensor, patch: number): Tensor {
  const [count = 0, channels = 0, height = 0, width = 0] = whole.shape;
  if (patch === 1) return whole;
  const latent = tensor([count, channels * patch ** 2, height / patch, width / patch]);
  eachPatched(latent, patch, (from, to) => (latent.data[from] = whole.data[to]!));
  return latent;
}

/** Every place of a latent N×(C·p·p)×h×w, and its place in N×C×hp×wp. */
function eachPatched({ shape }: Tensor, patch: number, visit: (from: number, to: number) => void): void {
  const [count = 0, channels = 0, height = 0, width = 0] = shape;
  let from = 0;
  for (let plane = 0; plane < count * channels; plane++) {
    const [whole, within] = [Math.floor(plane / patch ** 2), plane % patch ** 2];
    for (let y = 0; y < height; y++) {
      const row = (whole * height + y) * patch + Math.floor(within / patch);
      for (let x = 0; x < width; x++) visit(from++, (row * width + x) * patch + (within % patch));
    }
  }
}

function mapped(values: Tensor, change: (value: number) => number): Tensor {
  return tensor(values.shape, values.data.map(change));
}
