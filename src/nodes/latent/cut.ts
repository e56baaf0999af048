/** Parts of latents along an axis, and latents side by side (ComfyUI comfy_extras/nodes_latent.py). */
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
