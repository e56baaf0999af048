/** Laying a latent over another (ComfyUI nodes.py, LatentComposite). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { crop, LATENT_ROWS, paste } from '../../imaging/planes.js';
import { combineValues, mapValues } from '../../imaging/tensor-ops.js';
import { defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

type Extents = readonly [batch: number, channels: number, height: number, width: number];

const pixels = (tooltip: string) => int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 8, tooltip });

export const latentComposite = defineNode({
  name: 'LatentComposite',
  displayName: 'Latent Composite',
  category: 'model/latent',
  description: 'Lays a latent over another, its edges faded where they lie inside.',
  required: {
    samples_to: link('LATENT'),
    samples_from: link('LATENT'),
    x: pixels('Left edge in pixels.'),
    y: pixels('Upper edge in pixels.'),
    feather: pixels('Width of the faded edge in pixels.'),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples_to, samples_from, x, y, feather }) {
    const at = { x: Math.floor(x / 8), y: Math.floor(y / 8), feather: Math.floor(feather / 8) };
    return {
      outputs: [{ ...samples_to, samples: composite(samples_to.samples, samples_from.samples, at) }],
    };
  },
});

interface Place {
  readonly x: number;
  readonly y: number;
  readonly feather: number;
}

function composite(to: Tensor, from: Tensor, { x, y, feather }: Place): Tensor {
  const [, , height, width] = to.shape as Extents;
  const visible = crop(from, LATENT_ROWS, { y: 0, x: 0, height: height - y, width: width - x });
  const [batch, channels, rows, columns] = visible.shape as Extents;
  if (rows === 0 || columns === 0) return to;
  const under = crop(to, LATENT_ROWS, { y, x, height: rows, width: columns });
  const over = combineValues(under, visible, (_, value) => value);
  if (feather === 0) return paste(to, over, LATENT_ROWS, y, x);
  const edges = {
    top: y !== 0,
    bottom: y + rows < height,
    left: x !== 0,
    right: x + columns < width,
  };
  const fade = featherMask(rows, columns, feather, edges);
  const mask = tensor(
    [batch, channels, rows, columns],
    Float32Array.from({ length: batch * channels * fade.length }, (_, index) => fade[index % fade.length]!),
  );
  const shown = combineValues(visible, mask, (value, weight) => value * weight);
  const kept = combineValues(
    under,
    mapValues(mask, (weight) => 1 - weight),
    (value, weight) => value * weight,
  );
  return paste(
    to,
    combineValues(shown, kept, (a, b) => a + b),
    LATENT_ROWS,
    y,
    x,
  );
}

interface Edges {
  readonly top: boolean;
  readonly bottom: boolean;
  readonly left: boolean;
  readonly right: boolean;
}

/** rows × columns weights that rise from each given edge; where edges meet they multiply. */
function featherMask(rows: number, columns: number, feather: number, edges: Edges): Float32Array {
  const mask = new Float32Array(rows * columns).fill(1);
  const fadeRow = (row: number, rate: number) => {
    for (let x = 0; x < columns; x++) mask[row * columns + x]! *= rate;
  };
  const fadeColumn = (column: number, rate: number) => {
    for (let y = 0; y < rows; y++) mask[y * columns + column]! *= rate;
  };
  for (let step = 0; step < feather; step++) {
    const rate = Math.fround((1 / feather) * (step + 1));
    if (edges.top && step < rows) fadeRow(step, rate);
    if (edges.bottom) for (const row of fromEnd(step, rows)) fadeRow(row, rate);
    if (edges.left && step < columns) fadeColumn(step, rate);
    if (edges.right) for (const column of fromEnd(step, columns)) fadeColumn(column, rate);
  }
  return mask;
}

/** What Python's slice [extent − 1 − step : extent − step] holds: past the beginning it counts from the end again. */
function fromEnd(step: number, extent: number): number[] {
  const wrapped = (index: number) => Math.max(0, index < 0 ? index + extent : index);
  const [start, end] = [wrapped(extent - 1 - step), wrapped(extent - step)];
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
}
