/** Images side by side (ComfyUI comfy_extras/nodes_images.py, ImageStitch). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { withChannels } from '../../imaging/channels.js';
import { IMAGE_ROWS, paste } from '../../imaging/planes.js';
import { batchOf, concatRows, repeatRows, takeRows } from '../../imaging/tensor-ops.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { boolean, combo, defineNode, int, link } from '../definition.js';

type Extents = readonly [batch: number, height: number, width: number, channels: number];
type Color = readonly [red: number, green: number, blue: number];

const colors: Readonly<Record<'white' | 'black' | 'red' | 'green' | 'blue', Color>> = {
  white: [1, 1, 1],
  black: [0, 0, 0],
  red: [1, 0, 0],
  green: [0, 1, 0],
  blue: [0, 0, 1],
};

export const imageStitch = defineNode({
  name: 'ImageStitch',
  displayName: 'Stitch Images',
  category: 'image/transform',
  description:
    'Puts a second image beside the first, with a space between; without a second, the first is handed on.',
  required: {
    image1: link('IMAGE'),
    direction: combo(['right', 'down', 'left', 'up'], {
      default: 'right',
      tooltip: 'Where the second image goes.',
    }),
    match_image_size: boolean({
      default: true,
      tooltip: 'Resizes the second image to the edge that they share.',
    }),
    spacing_width: int({ default: 0, min: 0, max: 1024, step: 2, tooltip: 'Pixels between the images.' }),
    spacing_color: combo(['white', 'black', 'red', 'green', 'blue'], {
      default: 'white',
      tooltip: 'Of the space, and of what fills up the smaller image where it is white.',
    }),
  },
  optional: { image2: link('IMAGE') },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image1, direction, match_image_size, spacing_width, spacing_color, image2 }) {
    if (image2 === undefined) return { outputs: [image1] };
    const across = direction === 'right' || direction === 'left';
    const batch = Math.max(batchOf(image1), batchOf(image2));
    const first = withBatch(image1, batch);
    const second = match_image_size
      ? matched(withBatch(image2, batch), first, across)
      : withBatch(image2, batch);
    const edge = Math.max(...[first, second].map(({ shape }) => shape[across ? 1 : 2]!));
    const channels = Math.max(first.shape[3]!, second.shape[3]!);
    // Only white is meant where the smaller image is filled up; the other colours leave it black.
    const fill = spacing_color === 'white' ? 1 : 0;
    const parts = [first, second].map((image) => withChannels(centred(image, edge, across, fill), channels));
    const ordered = direction === 'left' || direction === 'up' ? parts.reverse() : parts;
    const space = spacing_width + (spacing_width % 2);
    if (space > 0) {
      const size = across ? [edge, space] : [space, edge];
      ordered.splice(1, 0, plain([batch, size[0]!, size[1]!, channels], colors[spacing_color]));
    }
    return { outputs: [joined(ordered, across)] };
  },
});

/** With the last image again and again. */
function withBatch(image: Tensor, batch: number): Tensor {
  const missing = batch - batchOf(image);
  return missing === 0
    ? image
    : concatRows(image, repeatRows(takeRows(image, batchOf(image) - 1, 1), missing));
}

function matched(image: Tensor, to: Tensor, across: boolean): Tensor {
  const [, ownHeight, ownWidth] = image.shape as Extents;
  const [, height, width] = to.shape as Extents;
  const aspect = ownWidth / ownHeight;
  const target = across
    ? { height, width: Math.trunc(height * aspect) }
    : { width, height: Math.trunc(width / aspect) };
  return upscaleImage(image, 'lanczos', target);
}

/** In the middle of an edge of `extent`. */
function centred(image: Tensor, extent: number, across: boolean, fill: number): Tensor {
  const [batch, height, width, channels] = image.shape as Extents;
  const missing = extent - (across ? height : width);
  if (missing === 0) return image;
  const padded = tensor(across ? [batch, extent, width, channels] : [batch, height, extent, channels]);
  padded.data.fill(fill);
  const before = Math.floor(missing / 2);
  return paste(padded, image, IMAGE_ROWS, across ? before : 0, across ? 0 : before);
}

function plain(shape: Extents, color: Color): Tensor {
  const image = tensor(shape);
  const channels = shape[3];
  image.data.forEach((_, at) => {
    image.data[at] = color[at % channels] ?? 1;
  });
  return image;
}

function joined(images: readonly Tensor[], across: boolean): Tensor {
  const [batch, height, width, channels] = images[0]!.shape as Extents;
  const total = images.reduce((sum, { shape }) => sum + shape[across ? 2 : 1]!, 0);
  let result = tensor(across ? [batch, height, total, channels] : [batch, total, width, channels]);
  let at = 0;
  for (const image of images) {
    result = paste(result, image, IMAGE_ROWS, across ? 0 : at, across ? at : 0);
    at += image.shape[across ? 2 : 1]!;
  }
  return result;
}
