/** img2img as AUTOMATIC1111 has it, for jobs of its clients: what its API asks of a picture and a mask, node by node. */
import {
  maskOf,
  onWhite,
  pasteDrawn,
  prepareImage,
  type Overlay,
} from '../../imaging/a1111/prepare-image.js';
import { rgbOf } from '../../imaging/channels.js';
import { boolean, combo, defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';
import type { CustomType } from '../values.js';

const category = 'latentd/a1111';

/** Nothing where all of the picture is drawn anew. */
const OVERLAY = 'A1111_OVERLAY' as CustomType<Overlay | null>;

const size = (tooltip: string) => int({ default: 512, min: 8, max: MAX_RESOLUTION, step: 8, tooltip });
const blur = (tooltip: string) => int({ default: 4, min: 0, max: 256, step: 1, tooltip });

export const a1111PrepareImage = defineNode({
  name: 'A1111PrepareImage',
  displayName: 'A1111 Prepare Image',
  category,
  description:
    "Brings a picture to the size that is drawn, and a mask to what A1111's inpainting makes of it. latentd's own.",
  required: {
    image: link('IMAGE'),
    transparency: link('MASK', { tooltip: 'Of the picture, as Load Image gives it; white comes there.' }),
    width: size('Width that is drawn.'),
    height: size('Height that is drawn.'),
    resize_mode: combo(['stretch', 'crop', 'fill'], {
      tooltip: "A1111's Just resize, Crop and resize, Resize and fill.",
    }),
    mask_blur_x: blur('Standard deviation of the blur of the mask, from left to right.'),
    mask_blur_y: blur('The same from top to bottom.'),
    fill: boolean({ default: false, tooltip: 'Gives what is masked colours from around it.' }),
    only_masked: boolean({ default: true, tooltip: 'Draws the region around the mask alone, at full size.' }),
    padding: int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 1, tooltip: 'Pixels around that region.' }),
    invert: boolean({ default: false, tooltip: 'Draws where the mask is black.' }),
  },
  optional: {
    mask: link('IMAGE', {
      tooltip: 'White where it is drawn anew; transparency counts instead where there is some.',
    }),
    mask_transparency: link('MASK', { tooltip: 'Of the mask, as Load Image gives it.' }),
  },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'mask', tooltip: 'Of the size that is drawn.' },
    { type: 'MASK', name: 'latent_mask', tooltip: 'Of an eighth of it, black or white.' },
    { type: OVERLAY, name: 'overlay', tooltip: 'What is left of the picture.' },
  ],
  run(inputs) {
    const { width, height, resize_mode: fit, mask, mask_transparency } = inputs;
    const picture = onWhite(rgbOf(inputs.image), inputs.transparency);
    const prepared = prepareImage(
      picture,
      { width, height, fit },
      mask && {
        mask: maskOf(rgbOf(mask), mask_transparency, inputs.invert),
        blurX: inputs.mask_blur_x,
        blurY: inputs.mask_blur_y,
        fills: inputs.fill,
        padding: inputs.only_masked ? inputs.padding : undefined,
      },
    );
    return {
      outputs: [prepared.image, prepared.mask, prepared.latentMask, prepared.overlay ?? null],
    };
  },
});

export const a1111PasteImage = defineNode({
  name: 'A1111PasteImage',
  displayName: 'A1111 Paste Image',
  category,
  description: "Puts what was drawn into its place in the picture, behind the mask. latentd's own.",
  required: { image: link('IMAGE'), overlay: link(OVERLAY) },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, overlay }) {
    return { outputs: [overlay === null ? image : pasteDrawn(rgbOf(image), overlay)] };
  },
});
