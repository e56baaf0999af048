/** What stands before a background (WAS_Node_Suite.py, WAS_Remove_Rembg). */
import { tensor } from '../../../compute/tensor.js';
import {
  BACKGROUND_MODELS,
  blended,
  cutOut,
  openBackgroundRemover,
} from '../../../models/background/remove-background.js';
import { boolean, combo, defineNode, int, link } from '../../public.js';

const COLOURS = {
  none: undefined,
  black: [0, 0, 0],
  white: [255, 255, 255],
  magenta: [255, 0, 255],
  'chroma green': [0, 177, 64],
  'chroma blue': [0, 71, 187],
} as const;

const level = (initial: number) => int({ default: initial, min: 0, max: 255 });

export const imageRembg = defineNode({
  name: 'Image Rembg (Remove Background)',
  displayName: 'Image Rembg (Remove Background)',
  category: 'WAS Suite/Image/AI',
  description:
    "Takes images' background away, or gives masks, by a model of models/rembg. Mattes and smoothed masks are not there.",
  required: {
    images: link('IMAGE'),
    transparency: boolean({ default: true }),
    model: combo(BACKGROUND_MODELS),
    post_processing: boolean({ default: false }),
    only_mask: boolean({ default: false }),
    alpha_matting: boolean({ default: false }),
    alpha_matting_foreground_threshold: level(240),
    alpha_matting_background_threshold: level(10),
    alpha_matting_erode_size: level(10),
    background_color: combo(Object.keys(COLOURS) as (keyof typeof COLOURS)[]),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images' }],
  async run({ images, transparency, model, only_mask, background_color, ...wanted }, context) {
    if (wanted.alpha_matting && !only_mask) throw new RangeError("alpha_matting isn't there: switch it off");
    if (wanted.post_processing) throw new RangeError("post_processing isn't there: switch it off");
    const remover = openBackgroundRemover(context, model);
    const colour = COLOURS[background_color];
    const [count = 0, height = 0, width = 0] = images.shape;
    const channels = transparency ? 4 : 3;
    const result = tensor([count, height, width, channels]);
    for (let row = 0; row < count; row++) {
      const mask = await remover.maskOf(images, row, { signal: context.signal });
      const cut = cutOut(images, row, mask).data;
      for (let pixel = 0; pixel < height * width; pixel++) {
        const opaque = cut[pixel * 4 + 3]!;
        for (let c = 0; c < channels; c++) {
          const under = c === 3 ? (transparency ? 0 : 255) : (colour?.[c] ?? 0);
          const over = cut[pixel * 4 + c]!;
          const seen = colour === undefined ? over : blended(opaque, over, under);
          const value = only_mask ? (c === 3 ? 255 : mask.data[pixel]!) : seen;
          result.data[(row * height * width + pixel) * channels + c] = value / 255;
        }
      }
    }
    return { outputs: [result] };
  },
});
