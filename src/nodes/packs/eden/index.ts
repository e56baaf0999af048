/** eden_comfy_pipelines (edenartlab): values and comparisons. */
import {
  floatOf,
  MATH_FUNCTIONS,
  pythonStr,
  roundTo,
  seed,
  type PythonFunction,
  type PythonValue,
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
import { valueNode, wholeNumber } from '../pass-on.js';

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

export const edenSeed = defineNode({
  ...described('Eden_Seed', 'A random seed, and its digits.'),
  category: 'Eden 🌱/general',
  required: { seed: seed() },
  optional: {},
  outputs: [
    { type: 'INT', name: 'seed' },
    { type: 'STRING', name: 'seed_string' },
  ],
  run: ({ seed: given }) => ({
    outputs: [wholeNumber(given), String(given)],
  }),
});

const operand = link('*', { default: 0 });

export const edenMath = defineNode({
  ...described('Eden_Math', 'Computes an expression over a, b and c.'),
  category: 'Eden 🌱/general',
  required: {
    expression: string({
      multiline: false,
      tooltip: 'Operators, min, max, sqrt and pow; ^ is a power.',
    }),
  },
  optional: { a: operand, b: operand, c: operand },
  outputs: [
    { type: 'FLOAT', name: 'result (float)' },
    { type: 'INT', name: 'result (int)' },
    { type: 'STRING', name: 'result (float_str)' },
  ],
  run({ expression, ...operands }) {
    const names = new Map(
      (['a', 'b', 'c'] as const).map((name): [string, PythonValue] => {
        const given = toPython(operands[name] ?? 0);
        const number = typeof given === 'string' ? floatOf(given) : Number(given);
        if (number === undefined || Number.isNaN(number)) throw new TypeError(`${name} is no number`);
        return [name, number];
      }),
    );
    const result = evaluate(expression.replaceAll('^', '**'), { names, functions: EDEN_FUNCTIONS });
    if (typeof result !== 'number' && typeof result !== 'bigint' && typeof result !== 'boolean') {
      throw new TypeError('the expression gives no number');
    }
    const rounded = typeof result === 'number' ? roundTo(result, 3) : BigInt(result);
    return { outputs: [Number(result), roundTo(Number(result), 0), pythonStr(rounded)] };
  },
});

const EDEN_FUNCTIONS: Readonly<Record<string, PythonFunction>> = {
  min: MATH_FUNCTIONS['min']!,
  max: MATH_FUNCTIONS['max']!,
  sqrt: MATH_FUNCTIONS['sqrt']!,
  pow: MATH_FUNCTIONS['pow']!,
};
