/** ComfyUI-QualityOfLifeSuit_Omar92: texts, numbers, sizes. */
import {
  combo,
  CROP_METHODS,
  defineNode,
  float,
  int,
  link,
  pickRows,
  pythonStr,
  replaceText,
  seed,
  string,
  strip,
  toPython,
  upscaleImage,
  upscaleLatent,
} from '../../public.js';
import { valueNode, wholeNumber } from '../pass-on.js';

const named = (name: string, displayName: string, category: string, description: string) => ({
  name: `${name} _O`,
  displayName,
  category: `O/${category}`,
  description,
});

const MAX_RESOLUTION = 8192;

/** A whole number of eights, halves up. */
function eights(side: number): number {
  const over = side % 8;
  if (over === 0) return side;
  return over < 4 ? side - over : side + 8 - over;
}

const methods = combo(['nearest-exact', 'bilinear', 'area']);
const cropped = combo(CROP_METHODS);
const factor = float({ default: 1.25, min: 0, max: 10, step: 0.281_25 });

/** Latents of another size, in whole eights of their own values. */
const scaledLatent = (side: number, by: number) => eights(Math.min(Math.trunc(side * by), MAX_RESOLUTION));

export const latentUpscaleFactor = defineNode({
  ...named('LatentUpscaleFactor', 'LatentUpscaleFactor _O', 'latent', 'Resizes latents by two factors.'),
  required: {
    samples: link('LATENT'),
    upscale_method: methods,
    WidthFactor: factor,
    HeightFactor: factor,
    crop: cropped,
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, upscale_method, WidthFactor, HeightFactor, crop }) {
    const [, , height = 0, width = 0] = latent.samples.shape;
    const target = {
      width: scaledLatent(width, WidthFactor),
      height: scaledLatent(height, HeightFactor),
      crop,
    };
    return { outputs: [{ ...latent, samples: upscaleLatent(latent.samples, upscale_method, target) }] };
  },
});

export const latentUpscaleFactorSimple = defineNode({
  ...named(
    'LatentUpscaleFactorSimple',
    'LatentUpscaleFactorSimple _O',
    'latent',
    'Resizes latents by a factor.',
  ),
  required: { samples: link('LATENT'), upscale_method: methods, factor, crop: cropped },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, upscale_method, factor: by, crop }) {
    const [, , height = 0, width = 0] = latent.samples.shape;
    const target = { width: scaledLatent(width, by), height: scaledLatent(height, by), crop };
    return { outputs: [{ ...latent, samples: upscaleLatent(latent.samples, upscale_method, target) }] };
  },
});

export const selectLatentFromBatch = defineNode({
  ...named(
    'selectLatentFromBatch',
    'selectLatentFromBatch _O',
    'latent',
    'One latent of a batch; the last where there are fewer.',
  ),
  required: { samples: link('LATENT'), index: int({ default: 0, min: 0, max: Infinity }) },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: { samples }, index }) {
    return { outputs: [{ samples: pickRows(samples, [Math.min(index, samples.shape[0]! - 1)]) }] };
  },
});

const inEights = combo(['enabled', 'disabled'], {
  default: 'enabled',
  tooltip: 'Sides are whole eights of pixels, whatever the name says.',
});

const scaledImage = (side: number, by: number, whole: string) => {
  const scaled = Math.min(by * side, MAX_RESOLUTION);
  return Math.trunc(whole === 'enabled' ? eights(scaled) : scaled);
};

export const imageScaleFactor = defineNode({
  ...named('ImageScaleFactor', 'ImageScaleFactor _O', 'image', 'Resizes images by two factors.'),
  required: {
    image: link('IMAGE'),
    upscale_method: methods,
    WidthFactor: factor,
    HeightFactor: factor,
    MulOf46: inEights,
    crop: cropped,
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, upscale_method, WidthFactor, HeightFactor, MulOf46, crop }) {
    const [, height = 0, width = 0] = image.shape;
    const target = {
      width: scaledImage(width, WidthFactor, MulOf46),
      height: scaledImage(height, HeightFactor, MulOf46),
      crop,
    };
    return { outputs: [upscaleImage(image, upscale_method, target)] };
  },
});

export const imageScaleFactorSimple = defineNode({
  ...named('ImageScaleFactorSimple', 'ImageScaleFactorSimple _O', 'image', 'Resizes images by a factor.'),
  required: {
    image: link('IMAGE'),
    upscale_method: methods,
    Factor: factor,
    MulOf46: inEights,
    crop: cropped,
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, upscale_method, Factor, MulOf46, crop }) {
    const [, height = 0, width = 0] = image.shape;
    const target = {
      width: scaledImage(width, Factor, MulOf46),
      height: scaledImage(height, Factor, MulOf46),
      crop,
    };
    return { outputs: [upscaleImage(image, upscale_method, target)] };
  },
});

export const imageSize = defineNode({
  ...named('GetImage_(Width&Height)', 'GetImage_(Width&Height) _O', 'numbers', 'Width and height of images.'),
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'INT', name: 'INT' },
    { type: 'INT', name: 'INT' },
  ],
  run: ({ image }) => ({ outputs: [image.shape[2]!, image.shape[1]!] }),
});

export const latentSize = defineNode({
  ...named(
    'GetLatent_(Width&Height)',
    'GetLatent_(Width&Height) _O',
    'numbers',
    'Width and height of latents, in their own values.',
  ),
  required: { samples: link('LATENT') },
  optional: {},
  outputs: [
    { type: 'INT', name: 'INT' },
    { type: 'INT', name: 'INT' },
  ],
  run: ({ samples: { samples } }) => ({ outputs: [samples.shape[3]!, samples.shape[2]!] }),
});

const number = float({ default: 0, min: 0, max: 2 ** 64 });

export const floatToInt = defineNode({
  ...named('floatToInt', 'floatToInt _O', 'numbers', 'A number without what is behind its point.'),
  required: { float: number },
  optional: {},
  outputs: [{ type: 'INT', name: 'INT' }],
  run: ({ float: given }) => ({ outputs: [wholeNumber(Math.trunc(given))] }),
});

export const intToFloat = defineNode({
  ...named('intToFloat', 'intToFloat _O', 'numbers', 'A whole number, as one with a point.'),
  required: { int: int({ default: 0, min: 0, max: 2 ** 64 }) },
  optional: {},
  outputs: [{ type: 'FLOAT', name: 'FLOAT' }],
  run: ({ int: given }) => ({ outputs: [given] }),
});

export const floatToText = defineNode({
  ...named('floatToText', 'floatToText _O', 'numbers', 'A number, as Python writes it.'),
  required: { float: number },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ float: given }) => ({ outputs: [pythonStr(toPython(given, 'FLOAT') ?? given)] }),
});

const lines = string({ multiline: true });
const line = string({ multiline: false });

export const text = defineNode({
  ...named('Text', 'Text _O', 'utils', 'A text with a space behind it.'),
  required: { text: lines },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ text: given }) => ({ outputs: [`${given} `] }),
});

export const note = defineNode({
  ...named('Note', 'Note _O', 'utils', 'A note to whoever reads the workflow.'),
  required: { text: lines },
  optional: {},
  outputs: [],
  outputNode: true,
  run: () => ({ outputs: [] }),
});

export const concatText = defineNode({
  ...named('Concat Text', 'Concat Text _O', 'text/operations', 'Joins two texts.'),
  required: { text1: lines, text2: lines, separator: string({ multiline: false, default: ',' }) },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ text1, text2, separator }) => ({ outputs: [text1 + separator + text2] }),
});

export const trimText = defineNode({
  ...named('Trim Text', 'Trim Text _O', 'text/operations', 'A text without white space at its ends.'),
  required: { text: line },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ text: given }) => ({ outputs: [strip(given)] }),
});

export const replaceTextNode = defineNode({
  ...named('Replace Text', 'Replace Text _O', 'text/operations', 'Puts one text in the place of another.'),
  required: { text: lines, old: line, new: line },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ text: given, old, new: replacement }) => ({ outputs: [replaceText(given, old, replacement)] }),
});

export const debugText = defineNode({
  ...named('Debug Text', 'Debug Text _O', 'debug/text', 'Shows a text.'),
  required: { text: line, prefix: string({ default: 'debug', multiline: false }) },
  optional: {},
  outputs: [],
  outputNode: true,
  run: ({ text: given, prefix }) => ({ outputs: [], ui: { text: [`${prefix}:${given}`] } }),
});

export const debugTextRoute = defineNode({
  ...named('Debug Text route', 'Debug Text route _O', 'debug/text', 'A text, as it came.'),
  required: { text: line, prefix: string({ default: 'debug', multiline: false }) },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ text: given }) => ({ outputs: [given] }),
});

export const seedNode = defineNode({
  ...named('seed', 'seed _O', 'utils', 'A random seed.'),
  required: { seed: seed() },
  optional: {},
  outputs: [{ type: 'INT', name: 'INT' }],
  run: ({ seed: given }) => ({ outputs: [wholeNumber(given)] }),
});

export const intNode = valueNode(
  named('int', 'int _O', 'utils', 'A whole number.'),
  'int',
  int({ default: 0, min: 0, max: 2 ** 64 }),
  { type: 'INT', name: 'INT' },
);

export const floatNode = valueNode(named('float', 'float _O', 'utils', 'A number.'), 'float', number, {
  type: 'FLOAT',
  name: 'FLOAT',
});
