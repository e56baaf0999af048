/** SAM: outlines of what points and boxes show in a picture (segment_anything/predictor.py, SamPredictor). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { BytePicture } from '../../imaging/bytes.js';
import { pillowResize } from '../../imaging/pillow-resize.js';
import { crop, LATENT_ROWS } from '../../imaging/planes.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import { whatItLooksLike } from '../files/what-it-looks-like.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import { samDecoder } from './decoder.js';
import { samEncoder, samSize } from './encoder.js';
import { PlaceCodes, promptTokens, withoutMask, type PromptBox, type PromptPoint } from './prompt.js';

/** One of the outlines that a prompt may mean. */
export interface Outline {
  /** 1 inside, 0 outside, 1×H×W of the picture's size. */
  readonly mask: Tensor;
  /** How sure it is. */
  readonly score: number;
}

export interface SegmentationModel {
  readonly identity: string;
  /**
   * Encodes a picture of three channels; what it gives asks for the outlines of points and a box, in the picture's pixels. Rejects with
   * `ModelError` for a damaged file.
   */
  look(picture: BytePicture): Promise<AskForOutlines>;
}

export type AskForOutlines = (
  points: readonly PromptPoint[],
  box: PromptBox | undefined,
) => Promise<readonly Outline[]>;

const MEAN = [123.675, 116.28, 103.53] as const;
const DEVIATION = [58.395, 57.12, 57.375] as const;

/** Throws `ModelError` when the file holds something else. */
export function createSegmentationModel(weights: WeightSource, programs: ProgramCache): SegmentationModel {
  const isOne = [
    'image_encoder.pos_embed',
    'mask_decoder.mask_tokens.weight',
    'prompt_encoder.no_mask_embed.weight',
  ];
  if (!isOne.every((key) => weights.has(key)) || !weights.has('image_encoder.blocks.0.attn.rel_pos_h')) {
    throw new ModelError(
      `${weights.path} is no SAM (vit_b, vit_l, vit_h); it looks like ${whatItLooksLike(weights)}`,
    );
  }
  const size = samSize(weights);
  return {
    identity: weights.identity,
    async look(picture) {
      const { x, height, width } = networkInput(picture, size.pixels);
      const { features } = await programs.use(
        `sam encoder ${weights.identity}`,
        () => graphOf(weights, () => samEncoder(weights)),
        (program) => program.run({ x }),
      );
      const codes = new PlaceCodes(weights);
      const [shown, positions] = [withoutMask(weights, features!), codes.ofGrid(size.grid)];
      const place = (at: { readonly x: number; readonly y: number }) => ({
        x: at.x * (width / picture.width),
        y: at.y * (height / picture.height),
      });
      return async (points, box) => {
        const from = box && place({ x: box[0], y: box[1] });
        const to = box && place({ x: box[2], y: box[3] });
        const prompt = promptTokens(
          weights,
          codes,
          points.map(({ isInside, ...at }) => ({ ...place(at), isInside })),
          from && to && [from.x, from.y, to.x, to.y],
          size.pixels,
        );
        const outputs = await programs.use(
          `sam decoder ${weights.identity}`,
          () => graphOf(weights, () => samDecoder(weights)),
          (program) => program.run({ features: shown, positions, prompt }),
        );
        const masks = mixed(outputs['upscaled']!, outputs['mixtures']!);
        return outlinesOf(masks, outputs['scores']!, { pixels: size.pixels, height, width, picture });
      };
    },
  };
}

/** A picture whose longer side is the network's, normalised, with nothing below and on the right. */
export function networkInput(
  picture: BytePicture,
  pixels: number,
): { readonly x: Tensor; readonly height: number; readonly width: number } {
  const scale = pixels / Math.max(picture.height, picture.width);
  const [height, width] = [picture.height, picture.width].map((extent) =>
    Math.trunc(extent * scale + 0.5),
  ) as [number, number];
  const image = tensor(
    [1, picture.height, picture.width, 3],
    Float32Array.from(picture.data, (value) => value / 255),
  );
  const { data } = pillowResize(image, 'BILINEAR', height, width);
  const x = tensor([1, 3, pixels, pixels]);
  for (let c = 0; c < 3; c++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const value = Math.round(data[(row * width + column) * 3 + c]! * 255);
        x.data[(c * pixels + row) * pixels + column] = (value - MEAN[c]!) / DEVIATION[c]!;
      }
    }
  }
  return { x, height, width };
}

/** 1×c×h×w and 1×masks×c to 1×masks×h×w. */
function mixed(upscaled: Tensor, mixtures: Tensor): Tensor {
  const [, channels = 0, height = 0, width = 0] = upscaled.shape;
  const masks = mixtures.shape[1]!;
  const places = height * width;
  const result = tensor([1, masks, height, width]);
  for (let mask = 0; mask < masks; mask++) {
    for (let channel = 0; channel < channels; channel++) {
      const share = mixtures.data[mask * channels + channel]!;
      const from = channel * places;
      const into = mask * places;
      for (let at = 0; at < places; at++) result.data[into + at]! += share * upscaled.data[from + at]!;
    }
  }
  return result;
}

interface Fit {
  readonly pixels: number;
  /** Of the picture within the network's input. */
  readonly height: number;
  readonly width: number;
  readonly picture: BytePicture;
}

/** All masks but the first, which is for prompts that mean one thing. */
function outlinesOf(masks: Tensor, scores: Tensor, { pixels, height, width, picture }: Fit): Outline[] {
  const whole = upscaleLatent(masks, 'bilinear', { height: pixels, width: pixels });
  const seen = crop(whole, LATENT_ROWS, { x: 0, y: 0, width, height });
  const { data } = upscaleLatent(seen, 'bilinear', { height: picture.height, width: picture.width });
  const places = picture.height * picture.width;
  return Array.from({ length: masks.shape[1]! - 1 }, (_, at) => ({
    score: scores.data[at + 1]!,
    mask: tensor(
      [1, picture.height, picture.width],
      data.slice((at + 1) * places, (at + 2) * places).map((value) => (value > 0 ? 1 : 0)),
    ),
  }));
}
