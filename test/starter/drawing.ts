/** Draws with the starter model and its LoRA as a user would, and looks at the pixels. */
import { fileURLToPath } from 'node:url';
import type { Tensor } from '../../src/compute/tensor.js';
import { createEngine, type Engine } from '../../src/index.js';
import { defineNode, link } from '../../src/nodes/definition.js';

export const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
export const CHECKPOINT = 'starter-sprites.safetensors';
export const LORA = 'starter-handheld.safetensors';
export const SIDE = 128;

export interface Drawing {
  readonly prompt: string;
  readonly seed: number;
  readonly lora?: boolean;
  /** Begins from this drawing instead of from noise alone. */
  readonly from?: Drawing;
  readonly denoise?: number;
}

const drawn: Tensor[] = [];
const keep = defineNode({
  name: 'Keep',
  displayName: 'Keep',
  category: 'test',
  description: '',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [],
  outputNode: true,
  run({ image }) {
    drawn.push(image);
    return { outputs: [] };
  },
});

export function starterEngine(): Engine {
  return createEngine({ folders: { models: MODELS }, threads: 2, nodes: [keep] });
}

/** The picture, 128×128×3 in [0, 1]. */
export async function draw(engine: Engine, drawing: Drawing): Promise<Float32Array> {
  const nodes: Record<string, { class_type: string; inputs: Record<string, unknown> }> = {
    model: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: CHECKPOINT } },
    lora: {
      class_type: 'LoraLoader',
      inputs: {
        lora_name: LORA,
        strength_model: 1,
        strength_clip: 1,
        model: ['model', 0],
        clip: ['model', 1],
      },
    },
  };
  const image = sampled(nodes, drawing, 'it');
  nodes['keep'] = { class_type: 'Keep', inputs: { image } };
  drawn.length = 0;
  if (drawing.lora !== true) delete nodes['lora'];
  const result = await engine.run(JSON.stringify(nodes), { forceOutputs: true });
  if (result.status !== 'success') throw new Error(JSON.stringify(result));
  return drawn[0]!.data.slice();
}

/** Adds the nodes that draw `drawing` under names that begin with `name`; the link to its image. */
function sampled(
  nodes: Record<string, { class_type: string; inputs: Record<string, unknown> }>,
  drawing: Drawing,
  name: string,
): readonly [string, number] {
  const source = drawing.lora === true ? 'lora' : 'model';
  const text = (prompt: string) => ({
    class_type: 'CLIPTextEncode',
    inputs: { text: prompt, clip: [source, 1] },
  });
  nodes[`${name} positive`] = text(drawing.prompt);
  nodes[`${name} negative`] = text('');
  nodes[`${name} latent`] =
    drawing.from === undefined
      ? { class_type: 'EmptyLatentImage', inputs: { width: SIDE, height: SIDE, batch_size: 1 } }
      : {
          class_type: 'VAEEncode',
          inputs: { pixels: sampled(nodes, drawing.from, `${name} from`), vae: ['model', 2] },
        };
  nodes[`${name} sampler`] = {
    class_type: 'KSampler',
    inputs: {
      seed: drawing.seed,
      steps: 20,
      cfg: 4,
      sampler_name: 'dpmpp_2m',
      scheduler: 'karras',
      denoise: drawing.denoise ?? 1,
      model: [source, 0],
      positive: [`${name} positive`, 0],
      negative: [`${name} negative`, 0],
      latent_image: [`${name} latent`, 0],
    },
  };
  nodes[`${name} image`] = {
    class_type: 'VAEDecode',
    inputs: { samples: [`${name} sampler`, 0], vae: ['model', 2] },
  };
  return [`${name} image`, 0];
}

export function rms(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0) / a.length);
}

/** For each pixel whether it differs from the corners' colour, which is the plain background's. */
export function silhouette(picture: Float32Array): boolean[] {
  const corner = [0, 1, 2].map((channel) => {
    const at = (x: number, y: number) => picture[(y * SIDE + x) * 3 + channel]!;
    const values = [at(2, 2), at(SIDE - 3, 2), at(2, SIDE - 3), at(SIDE - 3, SIDE - 3)];
    return (
      values
        .sort((a, b) => a - b)
        .slice(1, 3)
        .reduce((sum, value) => sum + value, 0) / 2
    );
  });
  return Array.from({ length: SIDE * SIDE }, (_, pixel) =>
    corner.some((value, channel) => Math.abs(picture[pixel * 3 + channel]! - value) > 0.15),
  );
}

/** Hue in degrees of each pixel in `mask` that is colourful: neither nearly gray nor nearly black. */
export function hues(picture: Float32Array, mask: readonly boolean[]): number[] {
  const found: number[] = [];
  mask.forEach((inside, pixel) => {
    if (!inside) return;
    const [r, g, b] = picture.subarray(pixel * 3, pixel * 3 + 3) as unknown as [number, number, number];
    const high = Math.max(r, g, b);
    const range = high - Math.min(r, g, b);
    if (high < 0.25 || range < 0.3 * high) return;
    const sixth =
      high === r ? ((g - b) / range + 6) % 6 : high === g ? (b - r) / range + 2 : (r - g) / range + 4;
    found.push(sixth * 60);
  });
  return found;
}

/** The share of `values` at most `spread` degrees from `centre`. */
export function shareNear(values: readonly number[], centre: number, spread: number): number {
  const near = values.filter((hue) => {
    const apart = Math.abs(hue - centre) % 360;
    return Math.min(apart, 360 - apart) <= spread;
  });
  return near.length / Math.max(values.length, 1);
}
