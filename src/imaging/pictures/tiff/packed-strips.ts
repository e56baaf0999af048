/** A TIFF page's compressed strips and tiles, one after another, up to the first that is damaged (as Pillow has libtiff read them). */
import { TAG, type PageLayout, type Tags } from './layout.js';
import { unpackRow, type Samples } from './unpack.js';
import { reversedBits, undoPredictor, unpackStrip } from './unpacked-strips.js';

interface Grid {
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
  readonly width: number;
  readonly height: number;
  /** Whether pieces at the picture's edge are as large as the others. */
  readonly padded: boolean;
}

/** Tags that libtiff wants to be one number. */
const SINGLE = [
  TAG.width,
  TAG.height,
  TAG.compression,
  TAG.planar,
  TAG.samples,
  TAG.rowsPerStrip,
  TAG.tileWidth,
  TAG.tileHeight,
];

/** Draws onto samples of nothing or, as Pillow does, of a page before of the same kind. */
export function readPackedStrips(
  bytes: Buffer,
  tags: Tags,
  layout: PageLayout,
  little: boolean,
  samples: Samples,
): Samples {
  if (SINGLE.some((tag) => tags.numbers(tag).length > 1) || ![1, 2].includes(tags.number(TAG.planar, 1)))
    return samples;
  const grid = gridOf(tags, layout);
  const planes = layout.planar ? layout.samples : 1;
  const across = Math.ceil(layout.width / grid.width);
  const down = Math.ceil(layout.height / grid.height);
  for (let row = 0; row < down; row++) {
    for (let plane = 0; plane < planes; plane++) {
      for (let column = 0; column < across; column++) {
        const index = (plane * down + row) * across + column;
        if (!drawPiece(bytes, { index, row, column, plane }, grid, tags, layout, little, samples))
          return samples;
      }
    }
  }
  return samples;
}

function gridOf(tags: Tags, { width, height }: PageLayout): Grid {
  if (tags.has(TAG.tileWidth)) {
    const [tileWidth, tileHeight] = [tags.number(TAG.tileWidth), tags.number(TAG.tileHeight, 1)];
    return {
      offsets: tags.numbers(TAG.tileOffsets),
      sizes: tags.numbers(TAG.tileByteCounts),
      width: Math.max(1, tileWidth),
      height: Math.max(1, tileHeight),
      padded: true,
    };
  }
  // One strip without a length goes to the end of the file.
  const sizes = tags.has(TAG.stripByteCounts) ? tags.numbers(TAG.stripByteCounts) : [Infinity];
  const rows = Math.min(height, Math.max(1, tags.number(TAG.rowsPerStrip, height)));
  return {
    offsets: tags.numbers(TAG.stripOffsets),
    sizes,
    width,
    height: rows,
    padded: false,
  };
}

interface Piece {
  readonly index: number;
  readonly row: number;
  readonly column: number;
  readonly plane: number;
}

function drawPiece(
  bytes: Buffer,
  piece: Piece,
  grid: Grid,
  tags: Tags,
  layout: PageLayout,
  little: boolean,
  into: Samples,
): boolean {
  const offset = grid.offsets[piece.index];
  const given = grid.sizes[piece.index];
  const size = given === Infinity ? bytes.length - (offset ?? 0) : given;
  if (offset === undefined || size === undefined || size === 0 || offset + size > bytes.length) return false;
  const { bits, samples, planar, width, height, fillOrder, compression } = layout;
  const perPixel = planar ? 1 : samples;
  const rowBytes = Math.ceil((grid.width * perPixel * bits) / 8);
  const top = piece.row * grid.height;
  const rows = grid.padded ? grid.height : Math.min(grid.height, height - top);
  const stored = bytes.subarray(offset, offset + size);
  const unpacked = unpackStrip(fillOrder === 2 ? reversedBits(stored) : stored, compression, rowBytes * rows);
  if (unpacked === undefined) return false;
  const left = piece.column * grid.width;
  const columns = Math.min(grid.width, width - left);
  for (let y = 0; y < Math.min(rows, height - top); y++) {
    const row = unpacked.subarray(y * rowBytes, (y + 1) * rowBytes);
    if (tags.number(TAG.predictor, 1) === 2) undoPredictor(row, bits, perPixel, little);
    const at = ((top + y) * width + left) * samples + (planar ? piece.plane : 0);
    unpackRow(row, layout, little, into, { at, count: columns * perPixel, step: planar ? samples : 1 });
  }
  return true;
}
