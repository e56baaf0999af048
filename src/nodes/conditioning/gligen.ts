/** Texts at places of a picture (ComfyUI nodes.py, GLIGENLoader and GLIGENTextBoxApply). */
import { createHash } from 'node:crypto';
import type { GroundedBox, Grounding, GroundingModel } from '../../models/denoiser/grounding.js';
import { combo, defineNode, int, link, string } from '../definition.js';
import { modelFingerprint } from '../files/model-files.js';
import { MAX_RESOLUTION } from '../limits.js';

/** Pixels of a picture for one of its latent. */
const latentPixel = 8;

export const gligenLoader = defineNode({
  name: 'GLIGENLoader',
  displayName: 'Load GLIGEN Model',
  category: 'model/loaders',
  description: 'Opens a GLIGEN model, by which texts have places in a picture.',
  required: {
    gligen_name: combo((folders) => folders.list('gligen'), { tooltip: 'The model.' }),
  },
  optional: {},
  outputs: [{ type: 'GLIGEN', name: 'GLIGEN' }],
  fingerprint: ({ gligen_name }, folders) => modelFingerprint(folders, 'gligen', gligen_name),
  run: ({ gligen_name }, { folders, models }) => ({
    outputs: [models.grounding(folders.resolve('gligen', gligen_name))],
  }),
});

const place = (initial: number, min: number, tooltip: string) =>
  int({ default: initial, min, max: MAX_RESOLUTION, step: 8, tooltip });

export const gligenTextBoxApply = defineNode({
  name: 'GLIGENTextBoxApply',
  displayName: 'Apply GLIGEN Text Box',
  category: 'model/conditioning/gligen',
  description: 'Gives a text a place in the picture.',
  required: {
    conditioning_to: link('CONDITIONING', { tooltip: 'The prompt that it joins.' }),
    clip: link('CLIP', { tooltip: 'Encodes the text.' }),
    gligen_textbox_model: link('GLIGEN', { tooltip: 'The GLIGEN model.' }),
    text: string({ multiline: true, dynamicPrompts: true, tooltip: 'What is there.' }),
    width: place(64, 8, 'Width of the place, in pixels.'),
    height: place(64, 8, 'Height of the place, in pixels.'),
    x: place(0, 0, 'Pixels from the left.'),
    y: place(0, 0, 'Pixels from the top.'),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  async run({ conditioning_to, clip, gligen_textbox_model: model, text, ...at }) {
    const { pooled } = await clip.encode(text);
    if (pooled === undefined) {
      throw new RangeError('GLIGENTextBoxApply needs a text encoder that sums a text up: that of SD 1.x');
    }
    const inLatent = (pixels: number): number => Math.floor(pixels / latentPixel);
    const box = {
      text: pooled,
      x: inLatent(at.x),
      y: inLatent(at.y),
      width: inLatent(at.width),
      height: inLatent(at.height),
    };
    return {
      outputs: [
        conditioning_to.map((entry) => ({
          ...entry,
          grounding: groundingOf(model, [...(entry.grounding?.boxes ?? []), box]),
        })),
      ],
    };
  },
});

function groundingOf(model: GroundingModel, boxes: readonly GroundedBox[]): Grounding {
  const digest = createHash('sha256').update(model.identity);
  for (const { text, x, y, width, height } of boxes) {
    digest.update(JSON.stringify([x, y, width, height]));
    digest.update(new Uint8Array(text.data.buffer, text.data.byteOffset, text.data.byteLength));
  }
  const identity = digest.digest('hex');
  return { model, boxes, toJSON: () => identity };
}
