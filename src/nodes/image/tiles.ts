/** Images cut into tiles that overlap, and put together again (ComfyUI comfy_extras/nodes_images.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { crop } from '../../imaging/planes.js';
import { IMAGE_ROWS } from '../../imaging/planes.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

interface TileSize {
  readonly width: number;
  readonly height: number;
}

interface TilePlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where tiles begin along a side: the last one ends with it. A step is a quarter of a tile at least. */
function startsAlong(extent: number, tile: number, overlap: number): number[] {
  const step = roundHalfEven(Math.max(tile * 0.25, tile - overlap));
  const starts: number[] = [];
  for (let at = 0; at < extent; at += step) {
    const end = Math.min(at + tile, extent);
    starts.push(Math.max(0, end - tile));
    if (end >= extent) break;
  }
  return starts;
}

function tilePlaces(whole: TileSize, tile: TileSize, overlap: number): TilePlace[] {
  const [width, height] = [Math.min(tile.width, whole.width), Math.min(tile.height, whole.height)];
  const columns = startsAlong(whole.width, tile.width, overlap);
  return startsAlong(whole.height, tile.height, overlap).flatMap((y) =>
    columns.map((x) => ({ x, y, width, height })),
  );
}

export const splitImageToTileList = defineNode({
  name: 'SplitImageToTileList',
  displayName: 'Split Image into List of Tiles',
  category: 'image/batch',
  description: 'Cuts images into a list of tiles that overlap.',
  required: {
    image: link('IMAGE'),
    tile_width: int({ default: 1024, min: 64, max: MAX_RESOLUTION, tooltip: 'Pixels.' }),
    tile_height: int({ default: 1024, min: 64, max: MAX_RESOLUTION, tooltip: 'Pixels.' }),
    overlap: int({ default: 128, min: 0, max: 4096, tooltip: 'Pixels that neighbours share.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE', isList: true }],
  run({ image, tile_width: width, tile_height: height, overlap }) {
    const whole = { width: image.shape[2]!, height: image.shape[1]! };
    const tiles = tilePlaces(whole, { width, height }, overlap).map((place) =>
      crop(image, IMAGE_ROWS, place),
    );
    return { outputs: [tiles] };
  },
});

/** A half wave over a side, which weighs a tile's middle most; sin(π·i/(count − 1)) in 32 bits. */
function halfWave(count: number): Float32Array {
  const { fround } = Math;
  const step = fround(1 / Math.max(count - 1, 1));
  return Float32Array.from({ length: count }, (_, at) => {
    // torch.linspace counts from the nearer end.
    const place = at < count / 2 ? fround(step * at) : fround(1 - fround(step * (count - 1 - at)));
    return Math.max(fround(Math.sin(fround(fround(Math.PI) * place))), fround(1e-5));
  });
}

function merged(tiles: readonly Tensor[], whole: TileSize, overlap: number): Tensor {
  const [first] = tiles as readonly [Tensor, ...Tensor[]];
  const [rows, tileHeight, tileWidth, channels] = first.shape as readonly [number, number, number, number];
  const places = tilePlaces(whole, { width: tileWidth, height: tileHeight }, overlap);
  const flat = overlap === 0;
  const [across, down] = [halfWave(tileWidth), halfWave(tileHeight)];
  const sums = tensor([rows, whole.height, whole.width, channels]);
  const weights = new Float32Array(whole.height * whole.width);
  places.slice(0, tiles.length).forEach((place, index) => {
    const tile = tiles[index]!;
    const [, ownHeight = 0, ownWidth = 0] = tile.shape;
    const [height, width] = [Math.min(place.height, ownHeight), Math.min(place.width, ownWidth)];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const weight = flat ? 1 : Math.fround(down[y]! * across[x]!);
        const to = (place.y + y) * whole.width + place.x + x;
        weights[to]! += weight;
        for (let row = 0; row < rows; row++) {
          const from = ((Math.min(row, tile.shape[0]! - 1) * ownHeight + y) * ownWidth + x) * channels;
          const into = (row * whole.height * whole.width + to) * channels;
          for (let channel = 0; channel < channels; channel++) {
            sums.data[into + channel]! += Math.fround(tile.data[from + channel]! * weight);
          }
        }
      }
    }
  });
  const area = whole.height * whole.width;
  sums.data.forEach((sum, at) => {
    sums.data[at] = sum / (weights[Math.floor(at / channels) % area]! || 1);
  });
  return sums;
}

export const imageMergeTileList = defineNode({
  name: 'ImageMergeTileList',
  displayName: 'Merge List of Tiles to Image',
  category: 'image/batch',
  description: 'Puts a list of tiles together, blended where they overlap.',
  inputIsList: true,
  required: {
    image_list: link('IMAGE', { tooltip: 'The tiles, in the order in which they were cut.' }),
    final_width: int({ default: 1024, min: 64, max: 32768, tooltip: 'Pixels of the whole.' }),
    final_height: int({ default: 1024, min: 64, max: 32768, tooltip: 'Pixels of the whole.' }),
    overlap: int({ default: 128, min: 0, max: 4096, tooltip: 'Pixels that neighbours share.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image_list: tiles, final_width: [width], final_height: [height], overlap: [overlap] }) {
    if (tiles.length === 0) throw new RangeError('there is no tile in the list');
    return { outputs: [merged(tiles, { width: width!, height: height! }, overlap!)] };
  },
});
