/** Images in few colours (ComfyUI comfy_extras/nodes_post_processing.py, Quantize). */
import { tensor } from '../../compute/tensor.js';
import { toPicture, type BytePicture } from '../../imaging/bytes.js';
import { rgbOf } from '../../imaging/channels.js';
import {
  diffusedInPalette,
  inPalette,
  medianCut,
  orderedInPalette,
  type Palette,
} from '../../imaging/quantize.js';
import { batchOf } from '../../imaging/tensor-ops.js';
import { combo, defineNode, int, link } from '../definition.js';

const dithers: Readonly<Record<string, (picture: BytePicture, palette: Palette) => BytePicture>> = {
  none: inPalette,
  'floyd-steinberg': diffusedInPalette,
};

export const imageQuantize = defineNode({
  name: 'ImageQuantize',
  displayName: 'Quantize Image',
  category: 'image/filters',
  description: 'Gives each image a palette of few colours, as Pillow makes it by median cut.',
  required: {
    image: link('IMAGE'),
    colors: int({ default: 256, min: 1, max: 256, step: 1, tooltip: 'Colours at most.' }),
    dither: combo(['none', 'floyd-steinberg', 'bayer-2', 'bayer-4', 'bayer-8', 'bayer-16'], {
      tooltip: 'How colours between those of the palette are made.',
    }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, colors, dither }) {
    const rgb = rgbOf(image);
    const result = tensor(rgb.shape);
    const length = rgb.data.length / batchOf(rgb);
    for (let index = 0; index < batchOf(rgb); index++) {
      const picture = toPicture(rgb, index);
      const palette = medianCut(picture, colors);
      const mapped =
        dithers[dither]?.(picture, palette) ??
        orderedInPalette(picture, palette, Number(dither.slice('bayer-'.length)));
      result.data.set(
        Float32Array.from(mapped.data, (value) => value / 255),
        index * length,
      );
    }
    return { outputs: [result] };
  },
});
