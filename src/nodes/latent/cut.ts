/** Parts of latents along an axis, and latents side by side (ComfyUI comfy_extras/nodes_latent.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { batchOf, formatShape, resizeBatch } from '../../imaging/tensor-ops.js';
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
    const parts = [samples1.samples, second];
    return {
      outputs: [{ ...samples1, samples: joined(dim.startsWith('-') ? parts.reverse() : parts, axis) }],
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
    return { outputs: [{ ...latent, samples: part(samples, axis, from, Math.min(extent - from, amount)) }] };
  },
});

/** Values that lie together in one place of `axis`, and all before it. */
function around({ shape }: Tensor, axis: number): readonly [before: number, inner: number] {
  const product = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);
  return [product(shape.slice(0, axis)), product(shape.slice(axis + 1))];
}

function part(source: Tensor, axis: number, from: number, count: number): Tensor {
  const [before, inner] = around(source, axis);
  const line = source.shape[axis]! * inner;
  const result = tensor(source.shape.map((extent, at) => (at === axis ? count : extent)));
  for (let row = 0; row < before; row++) {
    const start = row * line + from * inner;
    result.data.set(source.data.subarray(start, start + count * inner), row * count * inner);
  }
  return result;
}

/** Throws `RangeError` when they differ along another axis. */
function joined(parts: readonly Tensor[], axis: number): Tensor {
  const [first, second] = parts as [Tensor, Tensor];
  const fit = first.shape.every((extent, at) => at === axis || extent === second.shape[at]);
  if (!fit || first.shape.length !== second.shape.length) {
    throw new RangeError(`can't put ${formatShape(first)} and ${formatShape(second)} side by side`);
  }
  const [before, inner] = around(first, axis);
  const lines = parts.map(({ shape }) => shape[axis]! * inner);
  const total = lines[0]! + lines[1]!;
  const result = tensor(first.shape.map((extent, at) => (at === axis ? total / inner : extent)));
  parts.forEach(({ data }, index) => {
    const line = lines[index]!;
    for (let row = 0; row < before; row++) {
      result.data.set(
        data.subarray(row * line, (row + 1) * line),
        row * total + (index === 0 ? 0 : lines[0]!),
      );
    }
  });
  return result;
}
