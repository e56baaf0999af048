/** Laying pictures over others where a mask is white (ComfyUI comfy_extras/nodes_mask.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { rgbOf } from '../../imaging/channels.js';
import { crop, IMAGE_ROWS, LATENT_ROWS, paste, planesOf, type RowAxis } from '../../imaging/planes.js';
import { batchOf, resizeBatch } from '../../imaging/tensor-ops.js';
import { upscaleImage, upscaleLatent } from '../../imaging/upscale.js';
import { boolean, defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const resizeSource = boolean({
  default: false,
  tooltip: 'Resizes the source to the size of the destination first.',
});
const mask = link('MASK', { tooltip: 'Where the source shows; resized to it. All of it without a mask.' });
const place = (step: number, tooltip: string) =>
  int({ default: 0, min: 0, max: MAX_RESOLUTION, step, tooltip });

export const latentCompositeMasked = defineNode({
  name: 'LatentCompositeMasked',
  displayName: 'Latent Composite Masked',
  category: 'model/latent',
  description: 'Lays latents over others, where a mask is white.',
  required: {
    destination: link('LATENT'),
    source: link('LATENT'),
    x: place(8, 'Left edge in pixels.'),
    y: place(8, 'Upper edge in pixels.'),
    resize_source: resizeSource,
  },
  optional: { mask },
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ destination, source, x, y, resize_source, mask }) {
    const { height, width } = planesOf(destination.samples, LATENT_ROWS);
    const laid = resize_source
      ? upscaleLatent(source.samples, 'bilinear', { height, width })
      : source.samples;
    const at = { x: Math.floor(x / 8), y: Math.floor(y / 8) };
    const samples = composite(destination.samples, laid, LATENT_ROWS, at, mask);
    return { outputs: [{ ...destination, samples }] };
  },
});

export const imageCompositeMasked = defineNode({
  name: 'ImageCompositeMasked',
  displayName: 'Image Composite Masked',
  category: 'image/compositing',
  description: 'Lays images over others, where a mask is white.',
  required: {
    destination: link('IMAGE'),
    source: link('IMAGE'),
    x: place(1, 'Left edge in pixels.'),
    y: place(1, 'Upper edge in pixels.'),
    resize_source: resizeSource,
  },
  optional: { mask },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ destination, source, x, y, resize_source, mask }) {
    const { height, width } = planesOf(destination, IMAGE_ROWS);
    const alike = destination.shape[3] === 3 ? rgbOf(source) : source;
    const laid = resize_source ? upscaleImage(alike, 'bilinear', { height, width }) : alike;
    return { outputs: [composite(destination, laid, IMAGE_ROWS, { x, y }, mask)] };
  },
});

interface Corner {
  readonly x: number;
  readonly y: number;
}

/** `source` over `destination` with its corner at (y, x), weighed by the mask; batches follow the destination's. */
function composite(
  destination: Tensor,
  source: Tensor,
  rowAxis: RowAxis,
  { x, y }: Corner,
  mask: Tensor | undefined,
): Tensor {
  const batch = batchOf(destination);
  const { height, width } = planesOf(destination, rowAxis);
  const size = planesOf(source, rowAxis);
  const inside = { y: 0, x: 0, height: height - y, width: width - x };
  const visible = crop(resizeBatch(source, batch), rowAxis, inside);
  if (mask === undefined) return paste(destination, visible, rowAxis, y, x);
  const shown = planesOf(visible, rowAxis);
  const under = crop(destination, rowAxis, { y, x, height: shown.height, width: shown.width });
  const single = tensor([batchOf(mask), 1, ...mask.shape.slice(-2)], mask.data);
  const fitted = upscaleLatent(single, 'bilinear', { height: size.height, width: size.width });
  const weights = resizeBatch(crop(fitted, LATENT_ROWS, inside), batch).data;
  const pixels = shown.height * shown.width;
  const planes = shown.outer / batch;
  const blended = tensor(
    visible.shape,
    visible.data.map((value, index) => {
      const place = Math.floor(index / shown.inner);
      const row = Math.floor(place / (pixels * planes));
      const weight = weights[row * pixels + (place % pixels)]!;
      return Math.fround(weight * value) + Math.fround(Math.fround(1 - weight) * under.data[index]!);
    }),
  );
  return paste(destination, blended, rowAxis, y, x);
}
