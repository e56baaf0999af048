/** Parts of latents along an axis, and latents side by side (ComfyUI comfy_extras/nodes_latent.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { joinedAlong, partAlong } from '../../imaging/along-axis.js';
import { batchOf, resizeBatch } from '../../imaging/tensor-ops.js';
import { combo, defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

/** Counted from the last; a picture's latents have no time, and `t` is their channels. */
const axes = { x: 1, y: 2, t: 3 } as const;

export const latentConcat = defineNode({
  name: 'LatentConcat',
  displayName: 'LatentConcat',
  category: 'model/latent/advanced',
  description: 'Puts latents side by side; -x, -y and -t put the second first.',
  required: {
    samples1: link('LATENT'),
    samples2: link('LATENT'),
    dim: combo(['x', '-x', 'y', '-y', 't', '-t']),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples1, samples2, dim }) {
    const second = resizeBatch(samples2.samples, batchOf(samples1.samples));
    const axis = samples1.samples.shape.length - axes[dim.at(-1) as 'x' | 'y' | 't'];
    const first = samples1.samples;
    return {
      outputs: [
        { ...samples1, samples: joinedAlong(dim.startsWith('-') ? [second, first] : [first, second], axis) },
      ],
    };
  },
});

export const latentCut = defineNode({
  name: 'LatentCut',
  displayName: 'LatentCut',
  category: 'model/latent/advanced',
  description: 'A part of latents along one axis, in latent pixels.',
  required: {
    samples: link('LATENT'),
    dim: combo(['x', 'y', 't']),
    index: int({
      default: 0,
      min: -MAX_RESOLUTION,
      max: MAX_RESOLUTION,
      step: 1,
      tooltip: 'Where the part begins; counted from the end when negative.',
    }),
    amount: int({ default: 1, min: 1, max: MAX_RESOLUTION, step: 1, tooltip: 'How much of it.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, dim, index, amount }) {
    const { samples } = latent;
    const axis = samples.shape.length - axes[dim];
    const extent = samples.shape[axis]!;
    const from = index >= 0 ? Math.min(index, extent - 1) : extent + Math.max(index, -extent);
    return {
      outputs: [{ ...latent, samples: partAlong(samples, axis, from, Math.min(extent - from, amount)) }],
    };
  },
});

export const trimVideoLatent = defineNode({
  name: 'TrimVideoLatent',
  displayName: 'Trim Video Latent',
  category: 'model/latent',
  description: 'Leaves out the first frames of latents of films.',
  required: {
    samples: link('LATENT'),
    trim_amount: int({ default: 0, min: 0, max: 99999, tooltip: 'How many frames of the latent.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, trim_amount }) {
    const { samples } = latent;
    const frames = samples.shape[2] ?? 0;
    const from = Math.min(trim_amount, frames);
    return { outputs: [{ ...latent, samples: partAlong(samples, 2, from, frames - from) }] };
  },
});

/** Pieces of `size` places of an axis as rows of a batch: rows one after the other's pieces; what is left over is dropped. */
function piecesAsRows(samples: Tensor, axis: number, size: number): Tensor {
  const [rows = 0] = samples.shape;
  const extent = samples.shape[axis]!;
  const length = Math.min(size, extent);
  const count = Math.floor(extent / length);
  const pieces = Array.from({ length: count }, (_, piece) =>
    partAlong(samples, axis, piece * length, length),
  );
  const [first] = pieces;
  const result = tensor([rows * count, ...(first?.shape.slice(1) ?? [])]);
  const each = (first?.data.length ?? 0) / Math.max(rows, 1);
  pieces.forEach(({ data }, piece) => {
    for (let row = 0; row < rows; row++) {
      result.data.set(data.subarray(row * each, (row + 1) * each), (row * count + piece) * each);
    }
  });
  return result;
}

export const latentCutToBatch = defineNode({
  name: 'LatentCutToBatch',
  displayName: 'LatentCutToBatch',
  category: 'model/latent/advanced',
  description: 'Cuts latents along an axis into pieces, which become a batch.',
  required: {
    samples: link('LATENT'),
    dim: combo(['t', 'x', 'y']),
    slice_size: int({ default: 1, min: 1, max: MAX_RESOLUTION, step: 1, tooltip: 'How long a piece is.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, dim, slice_size: size }) {
    const { samples } = latent;
    const axis = samples.shape.length - axes[dim];
    if (axis < 2) return { outputs: [latent] };
    return { outputs: [{ ...latent, samples: piecesAsRows(samples, axis, size) }] };
  },
});

export const replaceVideoLatentFrames = defineNode({
  name: 'ReplaceVideoLatentFrames',
  displayName: 'Replace Video Latent Frames',
  category: 'model/latent/batch',
  description:
    'Puts the frames of latents of a film in the place of others; where they do not fit, nothing changes.',
  required: {
    destination: link('LATENT', { tooltip: 'The film whose frames are replaced.' }),
    index: int({
      default: 0,
      min: -MAX_RESOLUTION,
      max: MAX_RESOLUTION,
      step: 1,
      tooltip: 'The first frame to replace; counted from the end when negative.',
    }),
  },
  optional: { source: link('LATENT', { tooltip: 'The frames.' }) },
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ destination, index, source }) {
    if (source === undefined) return { outputs: [destination] };
    const [into, given] = [destination.samples, source.samples];
    const [frames, count] = [into.shape[2]!, given.shape[2]!];
    const from = index < 0 ? frames + index : index;
    if (from < 0) throw new RangeError(`frame ${index} lies before the first: the film has ${frames}`);
    if (from + count > frames) return { outputs: [destination] };
    const before = partAlong(into, 2, 0, from);
    const after = partAlong(into, 2, from + count, frames - from - count);
    const samples = joinedAlong([joinedAlong([before, given], 2), after], 2);
    return { outputs: [{ ...source, samples }] };
  },
});
