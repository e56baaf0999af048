/** Hints made by arithmetic (comfyui_controlnet_aux node_wrappers). */
import { sized } from '../../imaging/hints/hint-size.js';
import { palette, recoloured, tile } from '../../imaging/hints/colours.js';
import {
  binaryLines,
  pyramidEdges,
  scribbleLines,
  standardLines,
  xdogLines,
} from '../../imaging/hints/lines.js';
import { shuffled } from '../../imaging/hints/shuffle.js';
import { cannyBytes } from '../../imaging/opencv/canny.js';
import type { BytePicture } from '../../imaging/bytes.js';
import { float, int, seed } from '../definition.js';
import { ADAPTERS_ONLY, definePreprocessor, LINES, resolution } from './define.js';

const level = (initial: number, min = 0, max = 255) => int({ default: initial, min, max, step: 1 });

/** What a function makes of a picture at its resolution. */
function at(
  source: BytePicture,
  side: number,
  make: (picture: BytePicture) => BytePicture,
  enlarge: 'cubic' | 'area' = 'cubic',
): BytePicture {
  const { picture, withoutPadding } = sized(source, side, enlarge);
  return withoutPadding(make(picture));
}

export const cannyEdgePreprocessor = definePreprocessor({
  name: 'CannyEdgePreprocessor',
  displayName: 'Canny Edge',
  category: LINES,
  description: "White lines on edges, by OpenCV's Canny.",
  inputs: { low_threshold: level(100), high_threshold: level(200), resolution },
  hint: (source, { low_threshold, high_threshold, resolution: side }) =>
    at(source, side, (picture) => cannyBytes(picture, low_threshold, high_threshold)),
});

export const pyraCannyPreprocessor = definePreprocessor({
  name: 'PyraCannyPreprocessor',
  displayName: 'PyraCanny',
  category: LINES,
  description: "Canny's edges at several sizes, together.",
  inputs: { low_threshold: level(64), high_threshold: level(128), resolution },
  hint: (source, { low_threshold, high_threshold, resolution: side }) =>
    at(source, side, (picture) => pyramidEdges(picture, low_threshold, high_threshold)),
});

export const binaryPreprocessor = definePreprocessor({
  name: 'BinaryPreprocessor',
  displayName: 'Binary Lines',
  category: LINES,
  description: 'White where a picture is brighter than a threshold; 0 and 255 have it chosen.',
  inputs: { bin_threshold: level(100), resolution },
  hint: (source, { bin_threshold, resolution: side }) =>
    at(source, side, (picture) => binaryLines(picture, bin_threshold)),
});

export const scribblePreprocessor = definePreprocessor({
  name: 'ScribblePreprocessor',
  displayName: 'Scribble Lines',
  category: LINES,
  description: 'Dark strokes as black on white.',
  inputs: { resolution },
  hint: (source, { resolution: side }) => at(source, side, scribbleLines, 'area'),
});

export const scribbleXDoG = definePreprocessor({
  name: 'Scribble_XDoG_Preprocessor',
  displayName: 'Scribble XDoG Lines',
  category: LINES,
  description: 'White scribbles where two blurs of a picture differ.',
  inputs: { threshold: level(32, 1, 64), resolution },
  hint: (source, { threshold, resolution: side }) =>
    at(source, side, (picture) => xdogLines(picture, threshold)),
});

export const lineartStandardPreprocessor = definePreprocessor({
  name: 'LineartStandardPreprocessor',
  displayName: 'Standard Lineart',
  category: LINES,
  description: 'Lines that are darker than what is around them.',
  inputs: {
    guassian_sigma: float({ default: 6, min: 0, max: 100, step: 0.01 }),
    intensity_threshold: level(8, 0, 16),
    resolution,
  },
  hint: (source, { guassian_sigma, intensity_threshold, resolution: side }) =>
    at(source, side, (picture) => standardLines(picture, guassian_sigma, intensity_threshold)),
});

export const colorPreprocessor = definePreprocessor({
  name: 'ColorPreprocessor',
  displayName: 'Color Pallete',
  category: ADAPTERS_ONLY,
  description: 'Squares of 64 pixels of one colour each.',
  inputs: { resolution },
  hint: (source, { resolution: side }) => palette(source, side),
});

export const shufflePreprocessor = definePreprocessor({
  name: 'ShufflePreprocessor',
  displayName: 'Content Shuffle',
  category: ADAPTERS_ONLY,
  description:
    'Moves what a picture shows about. Seed 0 is a seed like others; in the reference it is a new one each time.',
  inputs: { resolution, seed: seed() },
  hint: (source, { resolution: side, seed: start }) =>
    at(source, side, (picture) => shuffled(picture, start)),
});

export const tilePreprocessor = definePreprocessor({
  name: 'TilePreprocessor',
  displayName: 'Tile',
  category: 'tile',
  description: 'A picture without its details.',
  inputs: { pyrUp_iters: level(3, 1, 10), resolution },
  // As in the reference, the resolution says nothing.
  hint: (source, { pyrUp_iters }) => tile(source, pyrUp_iters),
});

const gamma_correction = float({ default: 1, min: 0.1, max: 2, step: 0.01 });

export const imageLuminanceDetector = definePreprocessor({
  name: 'ImageLuminanceDetector',
  displayName: 'Image Luminance',
  category: 'Recolor',
  description: 'How light a picture is, for recolouring.',
  inputs: { gamma_correction, resolution },
  hint: (source, { gamma_correction: gamma, resolution: side }) =>
    at(source, side, (picture) => recoloured(picture, 'luminance', gamma)),
});

export const imageIntensityDetector = definePreprocessor({
  name: 'ImageIntensityDetector',
  displayName: 'Image Intensity',
  category: 'Recolor',
  description: "Each pixel's brightest channel, for recolouring.",
  inputs: { gamma_correction, resolution },
  hint: (source, { gamma_correction: gamma, resolution: side }) =>
    at(source, side, (picture) => recoloured(picture, 'intensity', gamma)),
});
