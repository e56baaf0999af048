/** Latents in batches of another size (ComfyUI comfy_extras/nodes_rebatch.py, LatentRebatch). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { batchOf, concatRows, resizeBatch, takeRows } from '../../imaging/tensor-ops.js';
import { defineNode, int, link } from '../definition.js';
import type { Latent } from '../values.js';

/** Latents of one size; without a mask, all of each is sampled. */
interface Batch {
  readonly samples: Tensor;
  readonly mask: Tensor | undefined;
  readonly index: readonly number[];
}

export const rebatchLatents = defineNode({
  name: 'RebatchLatents',
  displayName: 'Rebatch Latents',
  category: 'model/latent/batch',
  description: 'Puts a list of latents into batches of another size; those of different sizes stay apart.',
  inputIsList: true,
  required: {
    latents: link('LATENT'),
    batch_size: int({ default: 1, min: 1, max: 4096, tooltip: 'How many latents a batch has at most.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT', isList: true }],
  run({ latents, batch_size: [size = 1] }) {
    const finished: Batch[] = [];
    let current: Batch | undefined;
    let seen = 0;
    for (const latent of latents) {
      const next = batchFrom(latent, seen);
      seen += next.index.length;
      if (current !== undefined && !sameSize(current, next)) {
        finished.push(slice(current, 0, size));
        current = next;
      } else {
        current = current === undefined ? next : joined(current, next);
      }
      const count = batchOf(current.samples);
      if (count <= size) continue;
      const full = Math.floor(count / size);
      for (let part = 0; part < full; part++) finished.push(slice(current, part * size, size));
      current = count > full * size ? slice(current, full * size, count) : undefined;
    }
    if (current !== undefined) finished.push(slice(current, 0, size));
    return { outputs: [finished.map(latentOf)] };
  },
});

function batchFrom({ samples, noiseMask, batchIndex }: Latent, offset: number): Batch {
  const count = batchOf(samples);
  const mask =
    noiseMask !== undefined && batchOf(noiseMask) < count ? resizeBatch(noiseMask, count) : noiseMask;
  return { samples, mask, index: batchIndex ?? Array.from({ length: count }, (_, row) => row + offset) };
}

function sameSize(one: Batch, other: Batch): boolean {
  return [-1, -2].every((axis) => one.samples.shape.at(axis) === other.samples.shape.at(axis));
}

function joined(one: Batch, other: Batch): Batch {
  const neither = one.mask === undefined && other.mask === undefined;
  return {
    samples: concatRows(one.samples, other.samples),
    mask: neither ? undefined : concatRows(maskOf(one), maskOf(other)),
    index: [...one.index, ...other.index],
  };
}

/** White, as large as the picture, where there is none. */
function maskOf({ samples, mask }: Batch): Tensor {
  if (mask !== undefined) return mask;
  const [count = 0, , height = 0, width = 0] = samples.shape;
  const white = tensor([count, 1, height * 8, width * 8]);
  white.data.fill(1);
  return white;
}

function slice({ samples, mask, index }: Batch, start: number, size: number): Batch {
  const rows = (of: Tensor) => takeRows(of, start, Math.min(size, batchOf(of) - start));
  return { samples: rows(samples), mask: mask && rows(mask), index: index.slice(start, start + size) };
}

function latentOf({ samples, mask, index }: Batch): Latent {
  const white = mask === undefined || mask.data.every((value) => value === 1);
  return { samples, batchIndex: index, ...(white ? {} : { noiseMask: mask }) };
}
