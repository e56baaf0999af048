/**
 * Python expressions over numbers and texts, as the library simpleeval computes them: operators, comparisons that chain, `and`, `or`,
 * `not`, `a if b else c`, lists, indices, and calls of given functions. Whole numbers are exact. Nothing else is reachable.
 */
import { ExpressionError, ExpressionParser, type Node } from './expression-parser.js';
import { codePoints } from './text.js';
import { isDictionary, pythonRepr, type PythonValue } from './value.js';

export { ExpressionError } from './expression-parser.js';

export type PythonFunction = (...values: readonly PythonValue[]) => PythonValue;

export interface Scope {
  readonly names: ReadonlyMap<string, PythonValue>;
  readonly functions: Readonly<Record<string, PythonFunction>>;
  /** What `object.name` is; without it, nothing has attributes. */
  /** `and` and `or` give 1 and 0 rather than one of their operands. */
  readonly logicGivesNumbers?: boolean;
  readonly attribute?: (object: PythonValue, name: string) => PythonValue | undefined;
}

/** The value of an expression. Throws `ExpressionError`. */
export function evaluate(expression: string, scope: Scope): PythonValue {
  return compute(new ExpressionParser(expression.trim()).parse(), scope);
}

function compute(node: Node, scope: Scope): PythonValue {
  switch (node.kind) {
    case 'constant':
      return node.value;
    case 'name': {
      const value = scope.names.get(node.name);
      if (value === undefined) throw new ExpressionError(`'${node.name}' is not defined`);
      return value;
    }
    case 'unary':
      return unary(node.operator, compute(node.of, scope));
    case 'binary':
      return operate(node.operator, compute(node.left, scope), compute(node.right, scope));
    case 'logic': {
      const left = compute(node.left, scope);
      if (scope.logicGivesNumbers === true) {
        const decided = isTrue(left) === (node.operator === 'or');
        return isTrue(decided ? left : compute(node.right, scope)) ? 1n : 0n;
      }
      return isTrue(left) === (node.operator === 'or') ? left : compute(node.right, scope);
    }
    case 'compare': {
      let left = compute(node.first, scope);
      for (const [operator, next] of node.rest) {
        const right = compute(next, scope);
        if (!compare(operator, left, right)) return false;
        left = right;
      }
      return true;
    }
    case 'choice':
      return compute(isTrue(compute(node.test, scope)) ? node.then : node.otherwise, scope);
    case 'call': {
      const own = Object.hasOwn(scope.functions, node.name) ? scope.functions[node.name] : undefined;
      if (own === undefined) throw new ExpressionError(`Function '${node.name}' not defined`);
      return own(...node.args.map((argument) => compute(argument, scope)));
    }
    case 'index':
      return itemOf(compute(node.of, scope), compute(node.at, scope));
    case 'attribute': {
      const value = scope.attribute?.(compute(node.of, scope), node.name);
      if (value === undefined) throw new ExpressionError(`there is no attribute '${node.name}'`);
      return value;
    }
  }
}

/** Python's `bool`. */
export function isTrue(value: PythonValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isDictionary(value) ? value.size > 0 : Boolean(value);
}

function unary(operator: string, value: PythonValue): PythonValue {
  if (operator === 'not') return !isTrue(value);
  const number = numeric(value, operator);
  if (operator === '+') return number;
  if (operator === '-') return -number;
  if (typeof number === 'bigint') return ~number;
  throw new ExpressionError(`${operator} takes whole numbers, not ${pythonRepr(value)}`);
}

/** A number as operators take it; booleans are 0 and 1. */
export function numeric(value: PythonValue, operator: string): number | bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  throw new ExpressionError(`${operator} takes numbers, not ${pythonRepr(value).slice(0, 100)}`);
}

/** simpleeval's bounds on what grows. */
const MAX_POWER = 4_000_000n;
const MAX_TEXT = 100_000;

function operate(operator: string, left: PythonValue, right: PythonValue): PythonValue {
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') {
    if (left.length + right.length > MAX_TEXT) throw new ExpressionError('the text grows too long');
    return left + right;
  }
  if (operator === '+' && Array.isArray(left) && Array.isArray(right)) {
    return [...(left as readonly PythonValue[]), ...(right as readonly PythonValue[])];
  }
  if (operator === '*' && (typeof left === 'string' || typeof right === 'string'))
    return repeated(left, right);
  const [a, b] = [numeric(left, operator), numeric(right, operator)];
  if (typeof a === 'bigint' && typeof b === 'bigint') return operateWhole(operator, a, b);
  return operateFloat(operator, Number(a), Number(b));
}

function repeated(left: PythonValue, right: PythonValue): string {
  const [text, times] = typeof left === 'string' ? [left, right] : [right as string, left];
  if (typeof times !== 'bigint' && typeof times !== 'boolean') {
    throw new ExpressionError(`a text can't be multiplied by ${pythonRepr(times)}`);
  }
  const count = Math.max(0, Number(times));
  if (count * text.length > MAX_TEXT) throw new ExpressionError('the text grows too long');
  return text.repeat(count);
}

function operateWhole(operator: string, a: bigint, b: bigint): PythonValue {
  const divisor = () => {
    if (b === 0n) throw new ExpressionError('division by zero');
    return b;
  };
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return Number(a) / Number(divisor());
    case '//':
      return (a - modulo(a, divisor())) / b;
    case '%':
      return modulo(a, divisor());
    case '**':
      return power(a, b);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    default:
      if (b < 0n || b > 10_000n) throw new ExpressionError(`can't shift by ${b}`);
      return operator === '<<' ? a << b : a >> b;
  }
}

function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

/** `a ** b`, within bounds. */
export function power(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'bigint' && typeof b === 'bigint') {
    if (b < 0n) return powerOfFloats(Number(a), Number(b));
    const size = BigInt((a < 0n ? -a : a).toString(2).length);
    if (b > MAX_POWER || size * b > 100_000n) throw new ExpressionError(`${a} ** ${b} grows too large`);
    return a ** b;
  }
  return powerOfFloats(Number(a), Number(b));
}

function powerOfFloats(a: number, b: number): number {
  if (a === 0 && b < 0) throw new ExpressionError('0.0 cannot be raised to a negative power');
  if (a < 0 && !Number.isInteger(b)) throw new ExpressionError(`${a} ** ${b} is no real number`);
  return a ** b;
}

function operateFloat(operator: string, a: number, b: number): number {
  if (b === 0 && ['/', '//', '%'].includes(operator)) throw new ExpressionError('division by zero');
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor((a - floatModulo(a, b)) / b + 0.5);
    case '%':
      return floatModulo(a, b);
    case '**':
      return powerOfFloats(a, b);
    default:
      throw new ExpressionError(`${operator} takes whole numbers, not ${a} and ${b}`);
  }
}

function floatModulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

function compare(operator: string, left: PythonValue, right: PythonValue): boolean {
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case 'is':
      return left === right;
    case 'is not':
      return left !== right;
    case 'in':
    case 'not in': {
      const inside = Array.isArray(right)
        ? (right as readonly PythonValue[]).some((item) => equal(left, item))
        : typeof right === 'string' && typeof left === 'string'
          ? right.includes(left)
          : undefined;
      if (inside === undefined) throw new ExpressionError(`nothing is in ${pythonRepr(right).slice(0, 100)}`);
      return inside === (operator === 'in');
    }
    default: {
      const texts = typeof left === 'string' && typeof right === 'string';
      const [a, b] = texts ? [left, right] : [numeric(left, operator), numeric(right, operator)];
      if (operator === '<') return a < b;
      if (operator === '>') return a > b;
      return operator === '<=' ? a <= b : a >= b;
    }
  }
}

/** Python's `==` of numbers, texts and lists. */
export function equal(left: PythonValue, right: PythonValue): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    const [a, b] = [left as readonly PythonValue[], right as readonly PythonValue[]];
    return a.length === b.length && a.every((item, index) => equal(item, b[index]!));
  }
  const numbers = [left, right].map((value) => (typeof value === 'boolean' ? BigInt(value) : value));
  const [a, b] = numbers;
  const comparable = [a, b].every((value) => typeof value === 'number' || typeof value === 'bigint');
  // A bigint and a double of the same value are equal, as in Python.
  return comparable ? !(a! < b!) && !(a! > b!) : left === right;
}

function itemOf(value: PythonValue, at: PythonValue): PythonValue {
  if (isDictionary(value)) {
    const item = typeof at === 'string' ? value.get(at) : undefined;
    if (item !== undefined) return item;
  } else if (Array.isArray(value) || typeof value === 'string') {
    const items = typeof value === 'string' ? codePoints(value) : (value as readonly PythonValue[]);
    const index = typeof at === 'bigint' ? Number(at) : Number.NaN;
    const item = items[index < 0 ? index + items.length : index];
    if (item !== undefined) return item;
  }
  throw new ExpressionError(`${pythonRepr(value).slice(0, 100)} has no item ${pythonRepr(at).slice(0, 50)}`);
}
