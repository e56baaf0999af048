/** Numbers: computed, converted, picked (ComfyUI comfy_extras/nodes_math.py, nodes_number_convert.py, nodes_seed.py, nodes_resolution.py, nodes_color.py). */
import { evaluate } from '../../python/expression.js';
import { MATH_FUNCTIONS } from '../../python/math-functions.js';
import { floatOf, intOf } from '../../python/numbers.js';
import { strip } from '../../python/text.js';
import { isDictionary, pythonRepr, toPython, type PythonValue } from '../../python/value.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { autogrow, bigInt, combo, defineNode, float, int, multiType, string, widget } from '../definition.js';

/** A whole number as links carry it: exact beyond what a double holds. */
function wholeValue(value: bigint): number | bigint {
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : value;
}

/** Python's numbers have these; whoever writes `a.real` means `a`. */
function numberPart(value: PythonValue, name: string): PythonValue | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  if (name === 'real') return value;
  return name === 'imag' ? 0n : undefined;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('');

export const comfyMathExpression = defineNode({
  name: 'ComfyMathExpression',
  displayName: 'Math Expression',
  category: 'utilities',
  description:
    "Computes an expression of Python's kind over numbers a, b, c …, as a float, a whole number, and whether it is other than 0.",
  required: {
    expression: string({
      default: 'a + b',
      multiline: true,
      tooltip: `Operators, comparisons, x if y else z, values for the list of all, and ${Object.keys(MATH_FUNCTIONS).join(', ')}.`,
    }),
    values: autogrow(multiType(['FLOAT', 'INT', 'BOOLEAN']), LETTERS),
  },
  optional: {},
  outputs: [
    { type: 'FLOAT', name: 'FLOAT' },
    { type: 'INT', name: 'INT' },
    { type: 'BOOLEAN', name: 'BOOL' },
  ],
  run({ expression, values }, { receivedTypes }) {
    if (strip(expression) === '') throw new RangeError('the expression is empty');
    const names = Object.entries(values).map(([name, value]): [string, PythonValue] => [
      name,
      toPython(value, receivedTypes[`values.${name}`]) ?? null,
    ]);
    const scope = { names: new Map(names), functions: MATH_FUNCTIONS, attribute: numberPart };
    scope.names.set(
      'values',
      names.map(([, value]) => value),
    );
    const result = evaluate(expression, scope);
    if (typeof result === 'boolean') return { outputs: [Number(result), Number(result), result] };
    if (typeof result !== 'number' && typeof result !== 'bigint') {
      const shown = isDictionary(result) ? 'a dictionary' : pythonRepr(result).slice(0, 100);
      throw new TypeError(`the expression gives no number, but ${shown}`);
    }
    const double = Number(result);
    if (!Number.isFinite(double))
      throw new RangeError(`the expression gives ${double}, which is no finite number`);
    const whole = typeof result === 'bigint' ? result : BigInt(Math.trunc(result));
    return { outputs: [double, wholeValue(whole), double !== 0] };
  },
});

export const comfyNumberConvert = defineNode({
  name: 'ComfyNumberConvert',
  displayName: 'Convert Number',
  category: 'utilities',
  description: 'A number, a text with one, or yes and no, as a float and as a whole number.',
  required: { value: multiType(['INT', 'FLOAT', 'STRING', 'BOOLEAN']) },
  optional: {},
  outputs: [
    { type: 'FLOAT', name: 'FLOAT' },
    { type: 'INT', name: 'INT' },
  ],
  run({ value }) {
    if (typeof value === 'boolean') return { outputs: [Number(value), Number(value)] };
    const text = typeof value === 'string' ? strip(value) : undefined;
    if (text === '') throw new RangeError('an empty text is no number');
    const double = text === undefined ? Number(value) : floatOf(text);
    if (double === undefined) throw new RangeError(`the text ${pythonRepr(value)} is no number`);
    if (!Number.isFinite(double)) throw new RangeError(`${double} is no finite number`);
    const whole = text === undefined ? undefined : intOf(text);
    if (whole !== undefined) return { outputs: [double, wholeValue(whole)] };
    return {
      outputs: [double, typeof value === 'bigint' ? value : wholeValue(BigInt(Math.trunc(double)))],
    };
  },
});

export const seedNode = defineNode({
  name: 'SeedNode',
  displayName: 'Seed',
  category: 'utilities',
  description: 'A random seed for several nodes.',
  required: { seed: bigInt({ min: 0n, max: 0x7fff_ffff_ffff_ffffn, controlAfterGenerate: 'fixed' }) },
  optional: {},
  outputs: [{ type: 'INT', name: 'seed' }],
  run: ({ seed }) => ({ outputs: [wholeValue(seed)] }),
});

const RATIOS = {
  '1:1 (Square)': [1, 1],
  '2:3 (Portrait Photo)': [2, 3],
  '3:2 (Photo)': [3, 2],
  '3:4 (Portrait Standard)': [3, 4],
  '4:3 (Standard)': [4, 3],
  '9:16 (Portrait Widescreen)': [9, 16],
  '16:9 (Widescreen)': [16, 9],
  '21:9 (Ultrawide)': [21, 9],
} as const;

export const resolutionSelector = defineNode({
  name: 'ResolutionSelector',
  displayName: 'Resolution Selector',
  category: 'utilities',
  description: 'Width and height from an aspect ratio and a number of pixels.',
  required: {
    aspect_ratio: combo(Object.keys(RATIOS) as (keyof typeof RATIOS)[], { default: '1:1 (Square)' }),
    megapixels: float({
      default: 1,
      min: 0.1,
      max: 16,
      step: 0.1,
      tooltip: 'Pixels in units of 1024 × 1024.',
    }),
    multiple: int({ default: 8, min: 8, max: 128, step: 4, tooltip: 'Both become multiples of this.' }),
  },
  optional: {},
  outputs: [
    { type: 'INT', name: 'width', tooltip: 'In pixels.' },
    { type: 'INT', name: 'height', tooltip: 'In pixels.' },
  ],
  run({ aspect_ratio, megapixels, multiple }) {
    const [width, height] = RATIOS[aspect_ratio];
    const scale = Math.sqrt((megapixels * 1024 * 1024) / (width * height));
    const side = (share: number) => roundHalfEven((share * scale) / multiple) * multiple;
    return { outputs: [side(width), side(height)] };
  },
});

export const colorToRgbInt = defineNode({
  name: 'ColorToRGBInt',
  displayName: 'Color Picker',
  category: 'utilities',
  description: 'A colour as a number, 0xRRGGBB, as a text, and its alpha.',
  required: { color: widget('COLOR', { default: '#ffffff', tooltip: '#RRGGBB or #RRGGBBAA.' }) },
  optional: {},
  outputs: [
    { type: 'INT', name: 'rgb_int' },
    { type: 'COLOR', name: 'hex' },
    { type: 'FLOAT', name: 'alpha' },
  ],
  run({ color }) {
    const parts = /^#([0-9a-f]{6})([0-9a-f]{2})?$/i.exec(color);
    if (parts === null)
      throw new RangeError(`the colour must be #RRGGBB or #RRGGBBAA, not ${pythonRepr(color.slice(0, 40))}`);
    const [, rgb = '', alpha] = parts;
    return {
      outputs: [
        Number.parseInt(rgb, 16),
        `#${rgb}`,
        alpha === undefined ? 1 : Number.parseInt(alpha, 16) / 255,
      ],
    };
  },
});
