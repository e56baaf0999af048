/** Numbers computed and compared (ComfyUI_essentials misc.py). */
import {
  boolean,
  combo,
  defineControlNode,
  defineNode,
  evaluate,
  ExecutionBlocker,
  float,
  floatOf,
  int,
  isTrue,
  link,
  MATH_FUNCTIONS,
  roundTo,
  string,
  toPython,
  type PythonFunction,
  type PythonValue,
} from '../../public.js';

const described = { category: 'essentials/utilities', optional: {} };
const WIDEST = 2 ** 64;

export const simpleMathFloat = defineNode({
  ...described,
  name: 'SimpleMathFloat+',
  displayName: '🔧 Simple Math Float',
  description: 'A number.',
  required: { value: float({ default: 0, min: -WIDEST, max: WIDEST, step: 0.05 }) },
  outputs: [{ type: 'FLOAT', name: 'FLOAT' }],
  run: ({ value }) => ({ outputs: [value] }),
});

export const simpleMathPercent = defineNode({
  ...described,
  name: 'SimpleMathPercent+',
  displayName: '🔧 Simple Math Percent',
  description: 'A number from 0 to 1.',
  required: { value: float({ default: 0, min: 0, max: 1, step: 0.05 }) },
  outputs: [{ type: 'FLOAT', name: 'FLOAT' }],
  run: ({ value }) => ({ outputs: [value] }),
});

export const simpleMathInt = defineNode({
  ...described,
  name: 'SimpleMathInt+',
  displayName: '🔧 Simple Math Int',
  description: 'A whole number.',
  required: { value: int({ default: 0, min: -WIDEST, max: WIDEST, step: 1 }) },
  outputs: [{ type: 'INT', name: 'INT' }],
  run: ({ value }) => ({ outputs: [value] }),
});

const bound = (initial: number) => float({ default: initial, min: -WIDEST, max: WIDEST, step: 0.001 });
const rounding = int({ default: 0, min: 0, max: 10, step: 1, tooltip: 'Digits after the point; 0 for all.' });

/** From `low` to `high`. */
function slid(share: number, low: number, high: number, places: number): number {
  const value = low + share * (high - low);
  return places > 0 ? roundTo(value, places) : value;
}

export const simpleMathSlider = defineNode({
  ...described,
  name: 'SimpleMathSlider+',
  displayName: '🔧 Simple Math Slider',
  description: 'A number between two others.',
  required: {
    value: float({ default: 0.5, min: 0, max: 1, step: 0.001 }),
    min: bound(0),
    max: bound(1),
    rounding,
  },
  outputs: [
    { type: 'FLOAT', name: 'FLOAT' },
    { type: 'INT', name: 'INT' },
  ],
  run({ value, min, max, rounding: places }) {
    const number = slid(value, min, max, places);
    return { outputs: [number, Math.trunc(number)] };
  },
});

export const simpleMathBoolean = defineNode({
  ...described,
  name: 'SimpleMathBoolean+',
  displayName: '🔧 Simple Math Boolean',
  description: 'Yes or no.',
  required: { value: boolean({ default: false }) },
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
  run: ({ value }) => ({ outputs: [value] }),
});

const operand = link('*', {
  default: 0.0,
  tooltip: 'A number, a text with one, or something with a shape, as a list of its sides.',
});

const FUNCTIONS: Readonly<Record<string, PythonFunction>> = {
  min: MATH_FUNCTIONS['min']!,
  max: MATH_FUNCTIONS['max']!,
  round: MATH_FUNCTIONS['round']!,
  sum: (list = null) => {
    if (!Array.isArray(list)) throw new TypeError('sum takes a list');
    return MATH_FUNCTIONS['sum']!(list);
  },
  len: (value = null) => {
    if (!Array.isArray(value)) throw new TypeError('len takes a list');
    return BigInt((value as readonly PythonValue[]).length);
  },
};

/** A value as expressions have it. */
function operandOf(name: string, value: unknown, type: string | undefined): PythonValue {
  if (value === undefined) return 0;
  if (typeof value === 'object' && value !== null && 'shape' in value) {
    return (value.shape as readonly number[]).map((side) => BigInt(side));
  }
  const known = toPython(value, type);
  const number = typeof known === 'string' ? floatOf(known) : known;
  if (number === undefined || number === null) throw new TypeError(`${name} is no number and has no shape`);
  return number;
}

type Operands = Readonly<Record<'a' | 'b' | 'c' | 'd', unknown>>;

/** The result as a whole number, and as it is. */
function computed(
  expression: string,
  operands: Partial<Operands>,
  types: Readonly<Record<string, string>>,
): readonly [number, number] {
  const names = new Map(
    (['a', 'b', 'c', 'd'] as const).map((name) => [name, operandOf(name, operands[name], types[name])]),
  );
  const value = evaluate(expression, { names, functions: FUNCTIONS });
  if (typeof value === 'boolean') return [Number(value), Number(value)];
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw new TypeError('the expression gives no number');
  const number = Number.isNaN(Number(value)) ? 0 : Number(value);
  if (!Number.isFinite(number)) throw new RangeError('the expression gives no finite number');
  return [roundTo(number, 0), number];
}

const expression = string({
  multiline: false,
  tooltip: 'Operators and comparisons, and, or, not, a[0], min, max, round, sum and len.',
});
const OPERANDS = { a: operand, b: operand, c: operand };

export const simpleMath = defineNode({
  ...described,
  name: 'SimpleMath+',
  displayName: '🔧 Simple Math',
  description: 'Computes an expression over a, b and c.',
  required: { value: expression },
  optional: OPERANDS,
  outputs: [
    { type: 'INT', name: 'INT' },
    { type: 'FLOAT', name: 'FLOAT' },
  ],
  run: ({ value, ...operands }, { receivedTypes }) => ({ outputs: computed(value, operands, receivedTypes) }),
});

export const simpleMathDual = defineNode({
  ...described,
  name: 'SimpleMathDual+',
  displayName: '🔧 Simple Math Dual',
  description: 'Computes two expressions over a, b, c and d.',
  required: { value_1: expression, value_2: expression },
  optional: { ...OPERANDS, d: operand },
  outputs: [
    { type: 'INT', name: 'int_1' },
    { type: 'FLOAT', name: 'float_1' },
    { type: 'INT', name: 'int_2' },
    { type: 'FLOAT', name: 'float_2' },
  ],
  run({ value_1, value_2, ...operands }, { receivedTypes }) {
    const [first, second] = [value_1, value_2].map((value) => computed(value, operands, receivedTypes));
    return { outputs: [first![0], first![1], second![0], second![1]] };
  },
});

/** Python's `bool`; what is no plain data is true. */
function truth(value: unknown): boolean {
  const known = toPython(value);
  return known === undefined || isTrue(known);
}

export const simpleMathCondition = defineNode({
  ...described,
  name: 'SimpleMathCondition+',
  displayName: '🔧 Simple Math Condition',
  description: 'Computes one of two expressions.',
  required: { evaluate: link('*', { default: 0 }), on_true: expression, on_false: expression },
  optional: OPERANDS,
  outputs: [
    { type: 'INT', name: 'INT' },
    { type: 'FLOAT', name: 'FLOAT' },
  ],
  run: ({ evaluate: condition, on_true, on_false, ...operands }, { receivedTypes }) => ({
    outputs: computed(truth(condition) ? on_true : on_false, operands, receivedTypes),
  }),
});

export const simpleCondition = defineControlNode({
  ...described,
  name: 'SimpleCondition+',
  displayName: '🔧 Simple Condition',
  description: 'Gives one of two values on; without a second one, blocks what follows.',
  required: { evaluate: link('*', { default: 0 }), on_true: link('*', { default: 0 }) },
  optional: { on_false: link('*') },
  outputs: [{ type: '*', name: 'result' }],
  run: ({ evaluate: condition, on_true, on_false }) => ({
    outputs: [truth(condition) ? on_true : (on_false ?? new ExecutionBlocker())],
  }),
});

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='] as const;

export const simpleComparison = defineNode({
  ...described,
  name: 'SimpleComparison+',
  displayName: '🔧 Simple Comparison',
  description: 'Compares two numbers or texts.',
  required: { a: link('*', { default: 0 }), b: link('*', { default: 0 }), comparison: combo(COMPARISONS) },
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
  run({ a, b, comparison }, { receivedTypes }) {
    const names = new Map([
      ['a', toPython(a, receivedTypes['a']) ?? null],
      ['b', toPython(b, receivedTypes['b']) ?? null],
    ]);
    return { outputs: [evaluate(`a ${comparison} b`, { names, functions: {} }) === true] };
  },
});
