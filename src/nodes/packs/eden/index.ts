/** eden_comfy_pipelines (edenartlab): values and comparisons. */
import {
  boolean,
  combo,
  defineControlNode,
  defineNode,
  evaluate,
  float,
  int,
  isTrue,
  link,
  string,
  toPython,
} from '../../public.js';
import { valueNode } from '../pass-on.js';

const described = (name: string, description: string, displayName = name) => ({
  name,
  displayName,
  category: 'Eden 🌱/Logic',
  description,
});

/** Python's sys.maxsize. */
const MAX_SIZE = 2 ** 63;

export const edenString = valueNode(
  described('Eden_String', 'A text.'),
  'value',
  string({ multiline: true }),
  {
    type: 'STRING',
    name: 'STRING',
  },
);
export const edenInt = valueNode(
  described('Eden_Int', 'A whole number.'),
  'value',
  int({ default: 0, min: -MAX_SIZE, max: MAX_SIZE }),
  { type: 'INT', name: 'INT' },
);
export const edenFloat = valueNode(
  described('Eden_Float', 'A number.'),
  'value',
  float({ default: 0, min: -Infinity, max: Infinity, step: 0.01 }),
  { type: 'FLOAT', name: 'FLOAT' },
);
export const edenBool = valueNode(
  described('Eden_Bool', 'Yes or no.'),
  'value',
  boolean({ default: false }),
  {
    type: 'BOOLEAN',
    name: 'BOOLEAN',
  },
);

export const edenCompare = defineNode({
  ...described('Eden_Compare', 'Compares two numbers or texts.'),
  required: {
    a: link('*', { default: 0 }),
    b: link('*', { default: 0 }),
    comparison: combo(['a == b', 'a != b', 'a < b', 'a > b', 'a <= b', 'a >= b'], { default: 'a == b' }),
  },
  optional: {},
  outputs: [{ type: 'BOOLEAN', name: 'boolean' }],
  run({ a, b, comparison }, { receivedTypes }) {
    const names = new Map([
      ['a', toPython(a, receivedTypes['a']) ?? null],
      ['b', toPython(b, receivedTypes['b']) ?? null],
    ]);
    return { outputs: [evaluate(comparison, { names, functions: {} }) === true] };
  },
});

const OPERATIONS = {
  Nor: (a: boolean, b: boolean) => !(a || b),
  Xor: (a: boolean, b: boolean) => a !== b,
  Nand: (a: boolean, b: boolean) => !(a && b),
  And: (a: boolean, b: boolean) => a && b,
  Xnor: (a: boolean, b: boolean) => a === b,
  Or: (a: boolean, b: boolean) => a || b,
  Eq: (a: boolean, b: boolean) => a === b,
  Neq: (a: boolean, b: boolean) => a !== b,
} as const;

export const edenBoolBinaryOperation = defineNode({
  ...described('Eden_BoolBinaryOperation', 'Yes or no, made of two.'),
  required: {
    op: combo(['Nor', 'Xor', 'Nand', 'And', 'Xnor', 'Or', 'Eq', 'Neq']),
    a: boolean({ default: false }),
    b: boolean({ default: false }),
  },
  optional: {},
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
  run: ({ op, a, b }) => ({ outputs: [OPERATIONS[op](a, b)] }),
});

export const edenIfExecute = defineControlNode({
  ...described('If ANY execute A else B', 'Gives one of two values on.'),
  required: { ANY: link('*'), IF_TRUE: link('*'), IF_FALSE: link('*') },
  optional: {},
  outputs: [{ type: '*', name: '?' }],
  run({ ANY, IF_TRUE, IF_FALSE }) {
    const known = toPython(ANY);
    return { outputs: [known === undefined || isTrue(known) ? IF_TRUE : IF_FALSE] };
  },
});
