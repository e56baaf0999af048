/** Python's built-in functions of numbers, and those of its `math`, for expressions. */
import { roundTo } from './decimal.js';
import { ExpressionError, numeric, power, type PythonFunction } from './expression.js';
import { floatOf, intOf } from './numbers.js';
import { pythonRepr, type PythonValue } from './value.js';

/** Takes numbers, gives a number. */
function ofNumbers(name: string, compute: (...values: number[]) => number): PythonFunction {
  return (...values) => {
    const result = compute(...values.map((value) => Number(numeric(value, name))));
    if (Number.isNaN(result))
      throw new ExpressionError(`${name} of ${values.map(pythonRepr).join(', ')}: math domain error`);
    return result;
  };
}

function toWhole(name: string, round: (value: number) => number): PythonFunction {
  return (value = null) => {
    const number = numeric(value, name);
    return typeof number === 'bigint' ? number : wholeOf(round(number), name);
  };
}

function wholeOf(value: number, name: string): bigint {
  if (!Number.isFinite(value)) throw new ExpressionError(`${name}: cannot convert ${value} to an integer`);
  return BigInt(value);
}

/** Several values, or one list of them. */
function spread(name: string, values: readonly PythonValue[]): readonly PythonValue[] {
  const [first] = values;
  const list = values.length === 1 && Array.isArray(first) ? (first as readonly PythonValue[]) : values;
  if (list.length === 0) throw new ExpressionError(`${name} takes at least one value`);
  return list;
}

function extreme(name: string, better: (a: number | bigint, b: number | bigint) => boolean): PythonFunction {
  return (...values) =>
    spread(name, values).reduce((best, value) =>
      better(numeric(value, name), numeric(best, name)) ? value : best,
    );
}

function add(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === 'bigint' && typeof b === 'bigint' ? a + b : Number(a) + Number(b);
}

function round(value: PythonValue = null, places: PythonValue = null): PythonValue {
  const number = numeric(value, 'round');
  if (places === null) {
    return typeof number === 'bigint' ? number : wholeOf(roundTo(number, 0), 'round');
  }
  const count = Number(numeric(places, 'round'));
  if (typeof number === 'number') return roundTo(number, count);
  if (count >= 0) return number;
  const unit = 10n ** BigInt(Math.min(-count, 400));
  const [magnitude, sign] = number < 0n ? [-number, -1n] : [number, 1n];
  const rest = magnitude % unit;
  const down = magnitude - rest;
  const up = rest * 2n > unit || (rest * 2n === unit && (down / unit) % 2n === 1n);
  return sign * (up ? down + unit : down);
}

function toInt(value: PythonValue = 0n): PythonValue {
  if (typeof value === 'string') {
    const whole = intOf(value);
    if (whole === undefined)
      throw new ExpressionError(`invalid literal for int() with base 10: ${pythonRepr(value)}`);
    return whole;
  }
  const number = numeric(value, 'int');
  return typeof number === 'bigint' ? number : wholeOf(Math.trunc(number), 'int');
}

function toFloat(value: PythonValue = 0): PythonValue {
  if (typeof value !== 'string') return Number(numeric(value, 'float'));
  const number = floatOf(value);
  if (number === undefined)
    throw new ExpressionError(`could not convert string to float: ${pythonRepr(value)}`);
  return number;
}

/** ComfyUI's bound on exponents (nodes_math.py). */
const MAX_EXPONENT = 4000;

/** The functions of ComfyUI's ComfyMathExpression. */
export const MATH_FUNCTIONS: Readonly<Record<string, PythonFunction>> = {
  sum: (...values) => {
    const [first] = values;
    const list = values.length === 1 && Array.isArray(first) ? (first as readonly PythonValue[]) : values;
    return list.map((value) => numeric(value, 'sum')).reduce(add, 0n);
  },
  min: extreme('min', (a, b) => a < b),
  max: extreme('max', (a, b) => a > b),
  abs: (value = null) => {
    const number = numeric(value, 'abs');
    return number < 0 ? -number : typeof number === 'number' ? Math.abs(number) : number;
  },
  round,
  pow: (base = null, exponent = null) => {
    const [a, b] = [numeric(base, 'pow'), numeric(exponent, 'pow')];
    if (b > MAX_EXPONENT || b < -MAX_EXPONENT) {
      throw new ExpressionError(`Exponent ${b} exceeds maximum allowed (${MAX_EXPONENT})`);
    }
    return power(a, b);
  },
  sqrt: ofNumbers('sqrt', Math.sqrt),
  ceil: toWhole('ceil', Math.ceil),
  floor: toWhole('floor', Math.floor),
  log: ofNumbers('log', (...[value = 0, base]) => {
    if (value <= 0 || (base !== undefined && base <= 0)) return Number.NaN;
    return base === undefined ? Math.log(value) : Math.log(value) / Math.log(base);
  }),
  log2: ofNumbers('log2', (value) => (value > 0 ? Math.log2(value) : Number.NaN)),
  log10: ofNumbers('log10', (value) => (value > 0 ? Math.log10(value) : Number.NaN)),
  sin: ofNumbers('sin', Math.sin),
  cos: ofNumbers('cos', Math.cos),
  tan: ofNumbers('tan', Math.tan),
  int: toInt,
  float: toFloat,
};
