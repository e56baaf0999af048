/** Images, whose values WAS cuts to whole bytes. */
import { defineNode, link, mapValues, rgbOf } from '../../public.js';

export const imagesToRgb = defineNode({
  name: 'Images to RGB',
  displayName: 'Images to RGB',
  category: 'WAS Suite/Image',
  description: 'Images without their alpha, of 8 bits a channel.',
  required: { images: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: ({ images }) => ({
    outputs: [
      mapValues(
        rgbOf(images),
        (value) => Math.trunc(Math.min(Math.max(Math.fround(value * 255), 0), 255)) / 255,
      ),
    ],
  }),
});
