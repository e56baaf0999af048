/** A TIFF page's uncompressed strips and tiles, as Pillow reads them itself (TiffImagePlugin.py, _setup; ImageFile.py, load). */
import { broken, cutOff } from '../fault.js';
import { TAG, type PageLayout, type Tags } from './layout.js';
import { reversedBits } from './unpacked-strips.js';
import { samplesFor, unpackRow, type Samples } from './unpack.js';

interface RawPage {
  readonly samples: Samples;
  readonly layout: PageLayout;
  /** Pillow doesn't draw the next page onto this one. */
  readonly mapped: boolean;
}

interface Tile {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly offset: number;
  /** Bytes from row to row, where that isn't what the row's pixels take. */
  readonly stride: number;
  /** The plane, where samples lie apart. */
  readonly plane: number | undefined;
}

/**
 * Samples as far as the file goes. `lying` is a page that its orientation turns by a quarter. Throws `PictureFault` where Pillow
 * gives up.
 */
export function readRawTiles(
  bytes: Buffer,
  tags: Tags,
  layout: PageLayout,
  little: boolean,
  samples: Samples,
  lying: boolean,
): RawPage {
  const tiles = tilesOf(tags, layout);
  const sorted = withoutDoubles(tiles.toSorted((a, b) => a.offset - b.offset));
  const drawn = sorted.map((tile) => drawTile(bytes, tile, layout, little, samples));
  if (sorted.length !== 1 || (tiles.length > 1 && drawn[0]!) || !isMapped(layout, little))
    return { samples, layout, mapped: false };
  // Pillow maps such files into memory: rows below the strip are read, too, and nothing may be missing. Of a page that lies it
  // takes the upright one's width for the stored one's (TiffImageFile._setup swaps them, and ImageFile.load maps by them).
  const [tile] = sorted as [Tile];
  const { width, height } = lying ? { width: layout.height, height: layout.width } : layout;
  if (tile.offset + height * tile.stride > bytes.length) return { samples, layout, mapped: false };
  const stored = lying ? { ...layout, width, height } : layout;
  const mapped = lying ? samplesFor(stored) : samples;
  const whole = { ...tile, left: 0, top: 0, right: width, bottom: height };
  if (!drawTile(bytes, whole, stored, little, mapped)) throw broken('the TIFF is cut off');
  return { samples: mapped, layout: stored, mapped: true };
}

/** Of tiles for the same place, one after another in the file, the last. */
function withoutDoubles(tiles: readonly Tile[]): Tile[] {
  const samePlace = (a: Tile, b: Tile | undefined) =>
    b !== undefined &&
    a.left === b.left &&
    a.top === b.top &&
    a.right === b.right &&
    a.bottom === b.bottom &&
    a.stride === b.stride &&
    a.plane === b.plane;
  return tiles.filter((tile, index) => !samePlace(tile, tiles[index + 1]));
}

function isMapped(
  { colours, bits, samples, alpha, planar, fillOrder, photometric, format }: PageLayout,
  little: boolean,
): boolean {
  if (planar || fillOrder !== 1 || format !== 'unsigned') return false;
  if (bits === 16) return colours === 'grey' && (little || photometric === 1);
  if (bits !== 8) return false;
  if (samples === 1) return colours === 'palette' || photometric !== 0;
  return samples === 4 && (colours === 'cmyk' || (colours === 'rgb' && alpha === 'straight'));
}

function tilesOf(tags: Tags, { width, height, bits, samples, planar, colours }: PageLayout): Tile[] {
  const striped = tags.has(TAG.stripOffsets);
  if (!striped && !tags.has(TAG.tileOffsets)) throw broken("the TIFF doesn't say where its pixels lie");
  let offsets = tags.numbers(striped ? TAG.stripOffsets : TAG.tileOffsets);
  const tileWidth = striped ? width : tags.number(TAG.tileWidth);
  const tileHeight = striped ? tags.number(TAG.rowsPerStrip, height) : tags.number(TAG.tileHeight);
  if (tileWidth < 1 || tileHeight < 1) throw cutOff('the TIFF has tiles of no size');
  if (tileWidth === width && tileHeight === height && !planar) offsets = offsets.slice(-1);
  const planes = colours === 'cmyk' ? 4 : colours === 'rgb' ? 3 : 1;
  const tiles: Tile[] = [];
  let [x, y, plane] = [0, 0, 0];
  for (const offset of offsets) {
    if (planar && plane >= samples) throw broken('the TIFF has more planes than samples');
    const ends = x + tileWidth > width;
    const stride = ends ? Math.floor((tileWidth * bits * samples) / 8 / (planar ? planes : 1)) : 0;
    if (y >= height) throw cutOff('the TIFF has a strip below its picture');
    tiles.push({
      left: x,
      top: y,
      right: Math.min(x + tileWidth, width),
      bottom: Math.min(y + tileHeight, height),
      offset,
      stride,
      plane: planar ? plane : undefined,
    });
    x += tileWidth;
    if (x < width) continue;
    [x, y] = [0, y + tileHeight];
    if (y >= height) [y, plane] = [0, plane + 1];
  }
  return tiles;
}

/** False where the file ends before it. */
function drawTile(bytes: Buffer, tile: Tile, layout: PageLayout, little: boolean, into: Samples): boolean {
  const { left, top, right, bottom, offset, plane } = tile;
  const { width, bits, samples, fillOrder } = layout;
  const count = (right - left) * (plane === undefined ? samples : 1);
  const rowBytes = Math.ceil((count * bits) / 8);
  const stride = tile.stride === 0 ? rowBytes : tile.stride;
  if (stride < rowBytes) return true;
  for (let y = top; y < bottom; y++) {
    const start = offset + (y - top) * stride;
    if (start + rowBytes > bytes.length) return false;
    const stored = bytes.subarray(start, start + rowBytes);
    const row = fillOrder === 2 ? reversedBits(stored) : stored;
    const at = (y * width + left) * samples + (plane ?? 0);
    unpackRow(row, layout, little, into, { at, count, step: plane === undefined ? 1 : samples });
  }
  return true;
}
