/** Numbers and yes or no. */
import { boolean, defineControlNode, defineNode, float, link, roundHalfEven, seed } from '../../public.js';
import { wholeNumber } from '../pass-on.js';
import { NUMBER, SEED } from './types.js';

export const wasSeed = defineControlNode({
  name: 'Seed',
  displayName: 'Seed',
  category: 'WAS Suite/Number',
  description: 'A random seed for several nodes, in four forms.',
  required: { seed: seed() },
  optional: {},
  outputs: [
    { type: SEED, name: 'seed' },
    { type: NUMBER, name: 'number' },
    { type: 'FLOAT', name: 'float' },
    { type: 'INT', name: 'int' },
  ],
  run({ seed: given }) {
    const value = wholeNumber(given);
    return { outputs: [{ seed: value }, value, Number(given), value] };
  },
});

const operations = { category: 'WAS Suite/Number/Operations', optional: {} };

export const numberToInt = defineNode({
  ...operations,
  name: 'Number to Int',
  displayName: 'Number to Int',
  description: 'A number without what is behind its point.',
  required: { number: link(NUMBER) },
  outputs: [{ type: 'INT', name: 'INT' }],
  run: ({ number }) => ({ outputs: [wholeNumber(typeof number === 'bigint' ? number : Math.trunc(number))] }),
});

export const numberToFloat = defineNode({
  ...operations,
  name: 'Number to Float',
  displayName: 'Number to Float',
  description: 'A number, as one with a point.',
  required: { number: link(NUMBER) },
  outputs: [{ type: 'FLOAT', name: 'FLOAT' }],
  run: ({ number }) => ({ outputs: [Number(number)] }),
});

export const imageSizeToNumber = defineNode({
  ...operations,
  name: 'Image Size to Number',
  displayName: 'Image Size to Number',
  description: 'Width and height of images, each in three forms.',
  required: { image: link('IMAGE') },
  outputs: [
    { type: NUMBER, name: 'width_num' },
    { type: NUMBER, name: 'height_num' },
    { type: 'FLOAT', name: 'width_float' },
    { type: 'FLOAT', name: 'height_float' },
    { type: 'INT', name: 'width_int' },
    { type: 'INT', name: 'height_int' },
  ],
  run({ image }) {
    const [, height = 0, width = 0] = image.shape;
    return { outputs: [width, height, width, height, width, height] };
  },
});

const logic = {
  category: 'WAS Suite/Logic',
  optional: {},
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
} as const;
const truth = boolean({ default: false });

/** A class that combines two of them. */
const comparison = (name: string, description: string, combine: (a: boolean, b: boolean) => boolean) =>
  defineNode({
    ...logic,
    name,
    displayName: name,
    description,
    required: { boolean_a: truth, boolean_b: truth },
    run: ({ boolean_a, boolean_b }) => ({ outputs: [combine(boolean_a, boolean_b)] }),
  });

export const logicOr = comparison('Logic Comparison OR', 'Whether one of two is so.', (a, b) => a || b);
export const logicAnd = comparison('Logic Comparison AND', 'Whether both are so.', (a, b) => a && b);
export const logicXor = comparison(
  'Logic Comparison XOR',
  'Whether just one of two is so.',
  (a, b) => a !== b,
);

export const logicNot = defineNode({
  ...logic,
  name: 'Logic NOT',
  displayName: 'Logic NOT',
  description: 'The opposite.',
  required: { boolean: truth },
  run: ({ boolean: given }) => ({ outputs: [!given] }),
});

export const logicBooleanPrimitive = defineNode({
  ...logic,
  name: 'Logic Boolean Primitive',
  displayName: 'Logic Boolean Primitive',
  description: 'Yes or no.',
  required: { boolean: truth },
  run: ({ boolean: given }) => ({ outputs: [given] }),
});

export const logicBoolean = defineNode({
  name: 'Logic Boolean',
  displayName: 'Logic Boolean',
  category: 'WAS Suite/Logic',
  description: 'A number from 0 to 1 as yes or no: yes above 0.5.',
  required: { boolean: float({ default: 1, min: 0, max: 1, step: 0.01 }) },
  optional: {},
  outputs: [
    { type: 'BOOLEAN', name: 'BOOLEAN' },
    { type: NUMBER, name: 'NUMBER' },
    { type: 'INT', name: 'INT' },
    { type: 'FLOAT', name: 'FLOAT' },
  ],
  run({ boolean: given }) {
    const whole = roundHalfEven(given);
    return { outputs: [whole !== 0, whole, whole, given] };
  },
});
