import { tensor, type Tensor } from '../../compute/tensor.js';
import { concatRows, takeRows } from '../../imaging/tensor-ops.js';
import { inHalfPrecision } from '../text/half-precision.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { EncodedImages, ImageEncoder, SquareCrop } from './image-encoder.js';
import { clipPixels, preprocessed, siglipPixels } from './preprocess.js';
import { buildVisionGraph, CLASS_EMBEDDING, readVisionConfig, type VisionConfig } from './vision-graph.js';

/** An image encoder of a tower's weights, under transformers' names. Throws `ModelError` for what is none. */
export function createImageEncoder(tower: WeightSource, programs: ProgramCache): ImageEncoder {
  return encoderOf(tower, asKept(tower), programs);
}

/** The same with its weights as they are stored, not as ComfyUI keeps them. */
export function createEncoderAsStored(tower: WeightSource, programs: ProgramCache): ImageEncoder {
  return encoderOf(tower, tower, programs);
}

function encoderOf(tower: WeightSource, weights: WeightSource, programs: ProgramCache): ImageEncoder {
  const config = readVisionConfig(tower);
  if (config === undefined) {
    throw new ModelError(
      `${tower.path} holds no image encoder that is known: CLIP's L, H and bigG (transformers' or open_clip's names) and SigLIP are`,
    );
  }
  const statistics = config.kind === 'clip' ? clipPixels : siglipPixels;
  const preprocess = (images: Tensor, crop: SquareCrop) =>
    preprocessed(images, config.imageSize, statistics, crop);
  const encodePlanes = (planes: Tensor) => encoded(config, weights, programs, planes);
  return {
    identity: `image encoder ${weights.identity}`,
    imageSize: config.imageSize,
    preprocess,
    encodePlanes,
    encode: (images, crop) => encodePlanes(preprocess(images, crop)),
  };
}

/** In half precision like text encoders, but for what stands outside the layers. */
function asKept(tower: WeightSource): WeightSource {
  const half = inHalfPrecision(tower);
  const source = (key: string) => (/_projection|post_layernorm|pre_layrnorm/.test(key) ? tower : half);
  return {
    ...half,
    weight: (key) => source(key).weight(key),
    rows: (key, start, count) => source(key).rows(key, start, count),
  };
}

async function encoded(
  config: VisionConfig,
  weights: WeightSource,
  programs: ProgramCache,
  planes: Tensor,
): Promise<EncodedImages> {
  const beside =
    config.kind === 'clip'
      ? {
          class: tensor([1, 1, config.width], classEmbedding(config, weights)),
          first: { shape: [1], data: new Int32Array(1) },
        }
      : {};
  return programs.use(
    `image encoder ${weights.identity}`,
    () => graphOf(weights, () => buildVisionGraph(config, weights)),
    async (program) => {
      const rows: EncodedImages[] = [];
      for (let row = 0; row < planes.shape[0]!; row++) {
        const { last, penultimate, embeds } = await program.run({
          pixels: takeRows(planes, row, 1),
          ...beside,
        });
        rows.push({ lastHidden: last!, penultimate: penultimate!, embeds: embeds ?? last! });
      }
      const joined = (part: keyof EncodedImages) => rows.map((each) => each[part]).reduce(concatRows);
      return {
        lastHidden: joined('lastHidden'),
        penultimate: joined('penultimate'),
        embeds: joined('embeds'),
      };
    },
  );
}

function classEmbedding({ width }: VisionConfig, weights: WeightSource): Float32Array {
  const values = new Float32Array(width);
  weights.weight(CLASS_EMBEDDING).read(values);
  return values;
}
