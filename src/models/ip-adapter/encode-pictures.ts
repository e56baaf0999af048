/** Pictures encoded for IP-Adapters: whole, and part by part for detail (ComfyUI_IPAdapter_plus, utils.py, encode_image_masked). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { crop, IMAGE_ROWS } from '../../imaging/planes.js';
import { combineValues, concatRows, mapValues, takeRows } from '../../imaging/tensor-ops.js';
import type { EncodedImages, ImageEncoder } from '../vision/image-encoder.js';

/** How finely a picture is looked at. */
export interface PictureDetail {
  /** Parts a side that are encoded as well; 1 for the whole alone. */
  readonly tiles: number;
  /** Share of the whole beside the parts, 0 to 1. */
  readonly ratio: number;
}

type Encodings = Pick<EncodedImages, 'embeds' | 'penultimate'>;
const MOST_TILES = 16;

export async function encodedPictures(
  encoder: ImageEncoder,
  images: Tensor,
  { tiles: wanted, ratio }: PictureDetail = { tiles: 1, ratio: 1 },
): Promise<Encodings> {
  const whole = await encoder.encode(images, 'center');
  const tiles = Math.min(wanted, MOST_TILES);
  if (tiles <= 1) return whole;
  const parts: Encodings[] = [];
  for (let row = 0; row < images.shape[0]!; row++) {
    const encoded = await encoder.encode(partsOf(takeRows(images, row, 1), tiles), 'center');
    parts.push({
      embeds: mergedEmbeds(encoded.embeds, tiles),
      penultimate: mergedPatches(encoded.penultimate, tiles),
    });
  }
  const share = Math.fround(ratio);
  const rest = Math.fround(1 - ratio);
  const join = (part: keyof Encodings): Tensor => {
    const joined = parts.map((each) => each[part]).reduce(concatRows);
    const scaled = mapValues(whole[part], (value) => value * share);
    // Of one picture both stay side by side, to be averaged later.
    if (images.shape[0] === 1) return concatRows(scaled, joined);
    return combineValues(scaled, joined, (a, b) => a + Math.fround(b * rest));
  };
  return { embeds: join('embeds'), penultimate: join('penultimate') };
}

function partsOf(image: Tensor, tiles: number): Tensor {
  const [, rows = 0, columns = 0] = image.shape;
  const [height, width] = [Math.floor(rows / tiles), Math.floor(columns / tiles)];
  const parts: Tensor[] = [];
  for (let y = 0; y < tiles; y++) {
    for (let x = 0; x < tiles; x++) {
      parts.push(crop(image, IMAGE_ROWS, { y: y * height, x: x * width, height, width }));
    }
  }
  return parts.reduce(concatRows);
}

/** Tiles² × (1 + s²) × C: the mean of the pictures' tokens, and the patches of all tiles together, pooled to s². */
function mergedPatches(encoded: Tensor, tiles: number): Tensor {
  const [, tokens = 0, width = 0] = encoded.shape;
  const side = Math.floor(Math.sqrt(tokens - 1));
  const merged = tensor([1, tokens, width]);
  const at = (tile: number, token: number, channel: number) =>
    encoded.data[(tile * tokens + token) * width + channel]!;
  for (let channel = 0; channel < width; channel++) {
    let sum = 0;
    for (let tile = 0; tile < tiles ** 2; tile++) sum += at(tile, 0, channel);
    merged.data[channel] = sum / tiles ** 2;
    pooled(side, tiles, (tile, place) => at(tile, 1 + place, channel)).forEach((value, place) => {
      merged.data[(1 + place) * width + channel] = value;
    });
  }
  return merged;
}

/** The same of embeddings, taken for squares. */
function mergedEmbeds(encoded: Tensor, tiles: number): Tensor {
  const [, width = 0] = encoded.shape;
  const side = Math.floor(Math.sqrt(width));
  if (side * side !== width) {
    throw new RangeError(
      `pictures encoded as ${width} numbers can't be looked at part by part: take the image encoder CLIP H, whose are 1024`,
    );
  }
  const values = pooled(side, tiles, (tile, place) => encoded.data[tile * width + place]!);
  return tensor([1, width], values);
}

/** side² means of tiles² neighbours, in the square that the tiles make together. */
function pooled(side: number, tiles: number, at: (tile: number, place: number) => number): Float32Array {
  const means = new Float32Array(side * side);
  for (let y = 0; y < side * tiles; y++) {
    for (let x = 0; x < side * tiles; x++) {
      const tile = Math.floor(y / side) * tiles + Math.floor(x / side);
      means[Math.floor(y / tiles) * side + Math.floor(x / tiles)]! += at(
        tile,
        (y % side) * side + (x % side),
      );
    }
  }
  return means.map((sum) => sum / tiles ** 2);
}
