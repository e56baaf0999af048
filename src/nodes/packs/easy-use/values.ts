/** Values and sizes. */
import { boolean, defineControlNode, defineNode, float, int, link, roundTo, string } from '../../public.js';
import { valueNode } from '../pass-on.js';

const described = (name: string, displayName: string, description: string) => ({
  name: `easy ${name}`,
  displayName,
  category: 'EasyUse/Logic/Type',
  description,
});

export const easyString = valueNode(described('string', 'String', 'A text.'), 'value', string(), {
  type: 'STRING',
  name: 'string',
});
export const easyInt = valueNode(
  described('int', 'Int', 'A whole number.'),
  'value',
  int({ default: 0, min: -999_999, max: 999_999 }),
  { type: 'INT', name: 'int' },
);
export const easyBoolean = valueNode(
  described('boolean', 'Boolean', 'Yes or no.'),
  'value',
  boolean({ default: false }),
  { type: 'BOOLEAN', name: 'boolean' },
);

export const easyFloat = defineNode({
  ...described('float', 'Float', 'A number of three digits after the point.'),
  required: { value: float({ default: 0, min: -(2 ** 64), max: 2 ** 64, step: 0.01 }) },
  optional: {},
  outputs: [{ type: 'FLOAT', name: 'float' }],
  run: ({ value }) => ({ outputs: [roundTo(value, 3)] }),
});

export const easyImageSize = defineNode({
  ...described('imageSize', 'ImageSize', 'Width and height of images.'),
  category: 'EasyUse/Image',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'INT', name: 'width_int' },
    { type: 'INT', name: 'height_int' },
  ],
  outputNode: true,
  run({ image }) {
    const [, height = 0, width = 0] = image.shape;
    return { outputs: [width, height], ui: { text: [`Width: ${width} , Height: ${height}`] } };
  },
});

export const easyCleanGpuUsed = defineControlNode({
  ...described(
    'cleanGpuUsed',
    'Clean VRAM Used',
    'A value, as it came: models give memory back by themselves.',
  ),
  category: 'EasyUse/Logic',
  required: { anything: link('*') },
  optional: {},
  outputs: [{ type: '*', name: 'output' }],
  outputNode: true,
  run: ({ anything }) => ({ outputs: [anything] }),
});
