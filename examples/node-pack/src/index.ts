/** Two node classes and a value type that only they know: the colours of one picture, put onto another. */
import { defineNode, int, link, tensor, type CustomType } from 'latentd/nodes';

/** Colours as red, green and blue in [0, 1]. */
export interface Palette {
  readonly colours: readonly (readonly [number, number, number])[];
}

const PALETTE = 'EXAMPLE_PALETTE' as CustomType<Palette>;

const pickPalette = defineNode({
  name: 'ExamplePickPalette',
  displayName: 'Pick Palette',
  category: 'example',
  description: 'Takes colours from a picture, at places evenly spread over it.',
  required: {
    image: link('IMAGE', { tooltip: 'The picture; of a batch, the first.' }),
    count: int({ default: 8, min: 1, max: 256, tooltip: 'How many colours.' }),
  },
  optional: {},
  outputs: [{ type: PALETTE, name: 'palette' }],
  run({ image, count }) {
    const [, height = 0, width = 0, channels = 3] = image.shape;
    const pixels = height * width;
    const colours = Array.from({ length: Math.min(count, pixels) }, (_, index) => {
      const at = Math.floor(((index + 0.5) * pixels) / Math.min(count, pixels)) * channels;
      return [image.data[at] ?? 0, image.data[at + 1] ?? 0, image.data[at + 2] ?? 0] as const;
    });
    return { outputs: [{ colours }] };
  },
});

const usePalette = defineNode({
  name: 'ExampleUsePalette',
  displayName: 'Use Palette',
  category: 'example',
  description: 'Gives every pixel the nearest colour of a palette.',
  required: { image: link('IMAGE'), palette: link(PALETTE) },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, palette }, { signal }) {
    const painted = tensor(image.shape);
    const channels = image.shape[3] ?? 3;
    for (let at = 0; at < image.data.length; at += channels) {
      // Long work looks now and then whether the job has been cancelled.
      if (at % (1024 * channels) === 0) signal.throwIfAborted();
      const pixel = image.data.subarray(at, at + channels);
      painted.data.set(pixel, at);
      painted.data.set(nearest(palette, pixel), at);
    }
    return { outputs: [painted] };
  },
});

function nearest({ colours }: Palette, pixel: Float32Array): readonly [number, number, number] {
  const [red = 0, green = 0, blue = 0] = pixel;
  const distance = ([r, g, b]: readonly [number, number, number]) =>
    (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
  return colours.reduce((best, colour) => (distance(colour) < distance(best) ? colour : best));
}

export const nodes = [pickPalette, usePalette];
