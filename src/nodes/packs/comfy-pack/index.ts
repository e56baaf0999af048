/** comfy-pack (bentoml): what a packed workflow takes and gives. */
import { defineNode, int, link, saveImages, string } from '../../public.js';
import { valueNode } from '../pass-on.js';

const described = (name: string, displayName: string, category: string, description: string) => ({
  name,
  displayName,
  category: `ComfyPack/${category}`,
  description,
});

/** Python's sys.maxsize, as a double has it. */
const MAX_SIZE = 2 ** 63;

export const inputString = valueNode(
  described('CPackInputString', 'String Input', 'input', 'A text.'),
  'value',
  string(),
  { type: 'STRING', name: 'value' },
);

export const inputInt = defineNode({
  ...described('CPackInputInt', 'Int Input', 'input', 'A whole number.'),
  required: { value: int({ default: 0, min: -Infinity, max: Infinity }) },
  optional: {
    min: int({ default: -MAX_SIZE, min: -Infinity, max: Infinity, tooltip: 'For forms; not held to here.' }),
    max: int({ default: MAX_SIZE, min: -Infinity, max: Infinity, tooltip: 'For forms; not held to here.' }),
  },
  outputs: [{ type: 'INT', name: 'value' }],
  validate: {
    inputs: ['value', 'min', 'max'],
    check: ({ min, max }) =>
      typeof min === 'number' && typeof max === 'number' && min > max
        ? `Value must be greater than or equal to ${min}`
        : undefined,
  },
  run: ({ value }) => ({ outputs: [value] }),
});

export const inputAny = valueNode(
  described('CPackInputAny', 'Any Input', 'input', 'A value of any type.'),
  'input',
  link('*', { default: '' }),
  { type: '*', name: '*' },
);

export const outputImage = defineNode({
  ...described('CPackOutputImage', 'Image Output', 'output', 'Saves images into the output folder.'),
  required: {
    images: link('IMAGE', { tooltip: 'The images to save.' }),
    filename_prefix: string({ default: 'cpack_output_' }),
  },
  optional: {},
  outputs: [],
  outputNode: true,
  async run({ images, filename_prefix }, context) {
    const saving = { type: 'output', prefix: filename_prefix, compressionLevel: 4 } as const;
    return { outputs: [], ui: { images: await saveImages(images, saving, context) } };
  },
});
