/** A TIFF page's compressed strips and tiles, one after another, up to the first that is damaged (as Pillow has libtiff read them). */
import type { PageLayout } from './layout.js';
import type { Pieces } from './libtiff-directory.js';
import { unpackRow, type Samples } from './unpack.js';
import { reversedBits, undoPredictor, unpackStrip } from './unpacked-strips.js';

/** Draws onto samples of nothing or, as Pillow does, of a page before of the same kind. */
export function readPackedStrips(
  bytes: Buffer,
  pieces: Pieces,
  layout: PageLayout,
  little: boolean,
  samples: Samples,
): Samples {
  const planes = layout.planar ? layout.samples : 1;
  const across = Math.ceil(layout.width / pieces.width);
  const down = Math.ceil(layout.height / pieces.height);
  for (let row = 0; row < down; row++) {
    for (let plane = 0; plane < planes; plane++) {
      for (let column = 0; column < across; column++) {
        const index = (plane * down + row) * across + column;
        if (!drawPiece(bytes, { index, row, column, plane }, pieces, layout, little, samples)) return samples;
      }
    }
  }
  return samples;
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
  pieces: Pieces,
  layout: PageLayout,
  little: boolean,
  into: Samples,
): boolean {
  const offset = pieces.offsets[piece.index];
  const size = pieces.sizes[piece.index];
  if (offset === undefined || size === undefined || size === 0 || offset + size > bytes.length) return false;
  const { bits, samples, planar, width, height, compression } = layout;
  const perPixel = planar ? 1 : samples;
  const rowBytes = Math.ceil((pieces.width * perPixel * bits) / 8);
  const top = piece.row * pieces.height;
  const rows = pieces.padded ? pieces.height : Math.min(pieces.height, height - top);
  const stored = bytes.subarray(offset, offset + size);
  const unpacked = unpackStrip(
    pieces.fillOrder === 2 ? reversedBits(stored) : stored,
    compression,
    rowBytes * rows,
  );
  if (unpacked === undefined) return false;
  const left = piece.column * pieces.width;
  const columns = Math.min(pieces.width, width - left);
  for (let y = 0; y < Math.min(rows, height - top); y++) {
    const row = unpacked.subarray(y * rowBytes, (y + 1) * rowBytes);
    if (pieces.predictor === 2) undoPredictor(row, bits, perPixel, little);
    const at = ((top + y) * width + left) * samples + (planar ? piece.plane : 0);
    unpackRow(row, layout, little, into, { at, count: columns * perPixel, step: planar ? samples : 1 });
  }
  return true;
}
