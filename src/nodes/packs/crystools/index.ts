/** ComfyUI-Crystools: primitives, switches, sizes. */
import {
  boolean,
  defineControlNode,
  defineNode,
  float,
  int,
  link,
  string,
  type AnyNodeClass,
} from '../../public.js';
import { branchNode, valueNode } from '../pass-on.js';

const described = (kind: string, name: string, description: string) => ({
  name: `${name} [Crystools]`,
  displayName: `🪛 ${name}`,
  category: `crystools 🪛/${kind}`,
  description,
});

const primitive = (name: string, description: string) =>
  described('Primitive', `Primitive ${name}`, description);

export const primitiveBoolean = valueNode(
  primitive('boolean', 'Yes or no.'),
  'boolean',
  boolean({ default: true }),
  { type: 'BOOLEAN', name: 'boolean' },
);
export const primitiveString = valueNode(primitive('string', 'A text.'), 'string', string(), {
  type: 'STRING',
  name: 'string',
});
export const primitiveStringMultiline = valueNode(
  primitive('string multiline', 'A text of several lines.'),
  'string',
  string({ multiline: true }),
  { type: 'STRING', name: 'string' },
);
/** Python's sys.maxsize. */
const MAX_SIZE = 2 ** 63;
export const primitiveInteger = valueNode(
  primitive('integer', 'A whole number.'),
  'int',
  int({ default: 1, min: -MAX_SIZE, max: MAX_SIZE, step: 1 }),
  { type: 'INT', name: 'int' },
);
export const primitiveFloat = valueNode(
  primitive('float', 'A number.'),
  'float',
  float({ default: 1, min: -Number.MAX_VALUE, max: Number.MAX_VALUE, step: 0.01 }),
  { type: 'FLOAT', name: 'float' },
);

const switched = (name: string) =>
  described('Switch', `Switch ${name}`, 'Gives one of two values on; what the other depends on is not run.');

export const switchAny = branchNode(switched('any'), link('*'), { type: '*', name: '*' });
export const switchString = branchNode(switched('string'), string(), { type: 'STRING', name: 'string' });
export const switchConditioning = branchNode(switched('conditioning'), link('CONDITIONING'), {
  type: 'CONDITIONING',
  name: 'conditioning',
});
export const switchImage = branchNode(switched('image'), link('IMAGE'), { type: 'IMAGE', name: 'image' });
export const switchMask = branchNode(switched('mask'), link('MASK'), { type: 'MASK', name: 'mask' });
export const switchLatent = branchNode(switched('latent'), link('LATENT'), {
  type: 'LATENT',
  name: 'latent',
});

export const switchFromAny: AnyNodeClass = defineControlNode({
  ...described('Switch', 'Switch from any', 'Gives a value to one of two outputs, nothing to the other.'),
  required: { any: link('*'), boolean: boolean({ default: true }) },
  optional: {},
  outputs: [
    { type: '*', name: 'on_true' },
    { type: '*', name: 'on_false' },
  ],
  run: ({ any, boolean: on }) => ({ outputs: on ? [any, null] : [null, any] }),
});

export const getResolution = defineNode({
  ...described('Image', 'Get resolution', 'Width and height of images.'),
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
  ],
  outputNode: true,
  run({ image }) {
    const [, height = 0, width = 0] = image.shape;
    return { outputs: [width, height], ui: { text: [`${width}x${height}`] } };
  },
});
