/** Images and masks side by side (ComfyUI-KJNodes nodes/image_nodes.py, ImageConcanate). */
import {
  batchOf,
  boolean,
  combo,
  defineControlNode,
  IMAGE_ROWS,
  match,
  matchOutput,
  multiType,
  paste,
  pickRows,
  imageAntialiased,
  tensor,
  withChannels,
  type Image,
  type Tensor,
} from '../../public.js';
import { inputCount, numbered } from './numbered.js';

const category = 'KJNodes/image';
type Direction = 'right' | 'down' | 'left' | 'up';
type Extents = readonly [batch: number, height: number, width: number, channels: number];

const direction = combo(['right', 'down', 'left', 'up'], { default: 'right' });
const isMask = (value: Tensor) => value.shape.length === 3;
const asImage = (mask: Tensor) => tensor([...mask.shape, 1], mask.data);

/** An image of as many channels as there are; a mask's greys, or an image's, where the first is of the other kind. */
function alike(value: Tensor, first: Tensor): Image {
  if (isMask(first)) {
    if (isMask(value)) return asImage(value);
    const channels = value.shape[3]!;
    const used = Math.min(3, channels);
    const grey = tensor([...value.shape.slice(0, 3), 1]);
    grey.data.forEach((_, pixel) => {
      let sum = 0;
      for (let channel = 0; channel < used; channel++) sum += value.data[pixel * channels + channel]!;
      grey.data[pixel] = sum / used;
    });
    return grey;
  }
  if (!isMask(value)) return value;
  const channels = first.shape[3]!;
  const image = tensor([...value.shape, channels]);
  value.data.forEach((level, pixel) => image.data.fill(level, pixel * channels, (pixel + 1) * channels));
  return image;
}

/** With the last one again and again. */
function extended(image: Image, batch: number): Image {
  const last = batchOf(image) - 1;
  return pickRows(
    image,
    Array.from({ length: batch }, (_, row) => Math.min(row, last)),
  );
}

/** `second` beside `first`, whose kind the result has; in the middle where one is smaller. `size` is what `second` is brought to. */
function concatenated(
  first: Tensor,
  second: Tensor,
  where: Direction,
  size: readonly number[] | undefined,
): Tensor {
  const one = isMask(first) ? asImage(first) : first;
  const other = alike(second, first);
  const batch = Math.max(batchOf(one), batchOf(other));
  const across = where === 'left' || where === 'right';
  const aspect = other.shape[2]! / other.shape[1]!;
  const sized =
    size === undefined
      ? other
      : across
        ? imageAntialiased(other, size[1]!, Math.trunc(size[1]! * aspect))
        : imageAntialiased(other, Math.trunc(size[2]! / aspect), size[2]!);
  const channels = Math.max(one.shape[3]!, sized.shape[3]!);
  const [, height1, width1] = one.shape as Extents;
  const [, height2, width2] = sized.shape as Extents;
  const height = across ? Math.max(height1, height2) : height1 + height2;
  const width = across ? width1 + width2 : Math.max(width1, width2);
  const middle = (whole: number, part: number) => Math.floor((whole - part) / 2);
  const firstAhead = where === 'right' || where === 'down';
  const place = (image: Image, isFirst: boolean) => {
    const [, ownHeight, ownWidth] = image.shape as Extents;
    const before = isFirst === firstAhead;
    return across
      ? { y: middle(height, ownHeight), x: before ? 0 : width - ownWidth }
      : { y: before ? 0 : height - ownHeight, x: middle(width, ownWidth) };
  };
  let result = tensor([batch, height, width, channels]);
  for (const [image, isFirst] of [
    [one, true],
    [sized, false],
  ] as const) {
    const { y, x } = place(image, isFirst);
    result = paste(result, withChannels(extended(image, batch), channels), IMAGE_ROWS, y, x);
  }
  return isMask(first) ? tensor([batch, height, width], result.data) : result;
}

export const imageConcanate = defineControlNode({
  name: 'ImageConcanate',
  displayName: 'Image Concatenate',
  category,
  description: 'Puts an image or mask beside another.',
  required: {
    image1: match('image_or_mask', { allowed: ['IMAGE', 'MASK'] }),
    image2: multiType(['IMAGE', 'MASK']),
    direction,
    match_image_size: boolean({
      default: true,
      tooltip: 'Whether the second gets the size of the edge that they share.',
    }),
  },
  optional: {},
  outputs: [matchOutput('image_or_mask', 'output')],
  run: ({ image1, image2, direction: where, match_image_size }) => {
    const first = image1 as Tensor;
    return { outputs: [concatenated(first, image2, where, match_image_size ? first.shape : undefined)] };
  },
});

export const imageConcatMulti = defineControlNode({
  name: 'ImageConcatMulti',
  displayName: 'Image Concatenate Multi',
  category,
  description: 'Puts images or masks beside each other.',
  required: {
    inputcount: inputCount,
    image_1: match('multi_image_or_mask', { allowed: ['IMAGE', 'MASK'] }),
    direction,
    match_image_size: boolean({
      default: false,
      tooltip: 'Whether all get the size of the edge of the first.',
    }),
  },
  optional: { image_2: multiType(['IMAGE', 'MASK']) },
  outputs: [matchOutput('multi_image_or_mask', 'output')],
  takesMore: true,
  run(given) {
    const first = given.image_1 as Tensor;
    const [, ...others] = numbered(given, given.inputcount, tensor(first.shape));
    const size = given.match_image_size ? first.shape : undefined;
    return {
      outputs: [others.reduce((all, next) => concatenated(all, next, given.direction, size), first)],
    };
  },
});
