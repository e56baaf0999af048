/** Pictures made ready for IP-Adapters (github cubiq/ComfyUI_IPAdapter_plus). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { bicubicAntialiased } from '../../imaging/antialias.js';
import { gaussianBlur } from '../../imaging/blur.js';
import { channelsFirst, channelsLast, rgbOf } from '../../imaging/channels.js';
import { pillowResize, PILLOW_FILTERS } from '../../imaging/pillow-resize.js';
import { crop, IMAGE_ROWS, paste } from '../../imaging/planes.js';
import { sharpenedByContrast } from '../../imaging/sharpen-contrast.js';
import { mapValues } from '../../imaging/tensor-ops.js';
import { TorchGenerator } from '../../native/addon.js';
import { combo, defineNode, float, int, link } from '../definition.js';

/** What CLIP sees. */
const SIDE = 224;

export const prepImageForClipVision = defineNode({
  name: 'PrepImageForClipVision',
  displayName: 'Prep Image For ClipVision',
  category: 'ipadapter/utils',
  description: 'Cuts a square out of pictures, or fills them up to one, at the size that CLIP sees.',
  required: {
    image: link('IMAGE'),
    interpolation: combo(PILLOW_FILTERS, { tooltip: "Pillow's filter." }),
    crop_position: combo(['top', 'bottom', 'left', 'right', 'center', 'pad'], {
      tooltip: 'Which square is cut out; pad keeps all, with black at the sides.',
    }),
    sharpening: float({ default: 0, min: 0, max: 1, step: 0.05, tooltip: 'How much they are sharpened.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, interpolation, crop_position, sharpening }) {
    const square = crop_position === 'pad' ? padded(rgbOf(image)) : cut(rgbOf(image), crop_position);
    const small = pillowResize(square, interpolation, SIDE, SIDE);
    return { outputs: [sharpening > 0 ? sharpenedByContrast(small, sharpening) : small] };
  },
});

function padded(image: Tensor): Tensor {
  const [count = 0, height = 0, width = 0, channels = 0] = image.shape;
  const besides = Math.floor(Math.abs(height - width) / 2);
  const [down, across] = height > width ? [0, besides] : [besides, 0];
  const wide = tensor([count, height + 2 * down, width + 2 * across, channels]);
  return paste(wide, image, IMAGE_ROWS, down, across);
}

function cut(image: Tensor, position: 'top' | 'bottom' | 'left' | 'right' | 'center'): Tensor {
  const [, height = 0, width = 0] = image.shape;
  const side = Math.min(height, width);
  const middle = { y: Math.floor((height - side) / 2), x: Math.floor((width - side) / 2) };
  const places = {
    top: { y: 0 },
    bottom: { y: height - side },
    left: { x: 0 },
    right: { x: width - side },
    center: {},
  };
  return crop(image, IMAGE_ROWS, { ...middle, ...places[position], height: side, width: side });
}

export const ipAdapterNoise = defineNode({
  name: 'IPAdapterNoise',
  displayName: 'IPAdapter Noise',
  category: 'ipadapter/utils',
  description: 'Noise, or a picture with noise in it, to be what pictures are not.',
  required: {
    type: combo(['fade', 'dissolve', 'gaussian', 'shuffle'], {
      tooltip: 'How noise takes the picture’s place; shuffle is not supported.',
    }),
    strength: float({ default: 1, min: 0, max: 1, step: 0.05, tooltip: 'How much noise.' }),
    blur: int({ default: 0, min: 0, max: 32, step: 1, tooltip: 'Pixels that the noise is blurred by.' }),
  },
  optional: { image_optional: link('IMAGE', { tooltip: 'The picture; black when left out.' }) },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ type, strength, blur, image_optional }) {
    if (type === 'shuffle') {
      throw new RangeError(
        'the noise shuffle (an elastic distortion) isn’t supported: take fade, dissolve or gaussian',
      );
    }
    const image = image_optional === undefined ? tensor([1, SIDE, SIDE, 3]) : small(rgbOf(image_optional));
    const noisy = mapValues(withNoise(image, type, strength), (value) => Math.min(Math.max(value, 0), 1));
    if (blur === 0) return { outputs: [noisy] };
    const radius = Math.floor(blur / 2);
    const sigma = 0.3 * (radius - 1) + 0.8;
    return { outputs: [radius === 0 ? noisy : gaussianBlur(noisy, { radius, sigma: sigma / radius })] };
  },
});

function small(image: Tensor): Tensor {
  return channelsLast(bicubicAntialiased(channelsFirst(cut(image, 'center')), SIDE, SIDE));
}

/** The picture's sum is the noise's seed. */
function withNoise(image: Tensor, type: 'fade' | 'dissolve' | 'gaussian', strength: number): Tensor {
  const sum = image.data.reduce((total, value) => total + value, 0);
  const generator = new TorchGenerator(BigInt(((Math.trunc(sum) % 1000000007) + 1000000007) % 1000000007));
  const count = image.data.length;
  const share = Math.fround(strength);
  if (type === 'gaussian') {
    const noise = generator.randn(count);
    return tensor(
      image.shape,
      image.data.map((value, at) => value + Math.fround(noise[at]! * share)),
    );
  }
  if (type === 'fade') {
    const [noise, rest] = [generator.rand(count), Math.fround(1 - strength)];
    const faded = image.data.map((value, at) => Math.fround(value * rest) + Math.fround(noise[at]! * share));
    return tensor(image.shape, faded);
  }
  const chosen = generator.rand(count);
  const noise = generator.rand(count);
  return tensor(
    image.shape,
    image.data.map((value, at) => (chosen[at]! < strength ? noise[at]! : value)),
  );
}
