/** Python's `str.format` and its format specifications (the "format specification mini-language"). */
import { pythonFloat } from '../python-float.js';
import { exponentialDigits, fixedDigits } from './decimal.js';
import { codePoints, sliceText, textLength } from './text.js';
import { isDictionary, pythonAscii, pythonRepr, pythonStr, type PythonValue } from './value.js';

/** A template or a specification that Python refuses too. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/** `template.format(**values)`. Throws `FormatError`, naming the field that isn't there. */
export function formatText(template: string, values: ReadonlyMap<string, PythonValue>): string {
  return fill(template, values, 1);
}

function fill(template: string, values: ReadonlyMap<string, PythonValue>, depth: number): string {
  let result = '';
  for (let at = 0; at < template.length;) {
    const character = template[at]!;
    if (character !== '{' && character !== '}') {
      result += character;
      at++;
    } else if (template[at + 1] === character) {
      result += character;
      at += 2;
    } else if (character === '}') {
      throw new FormatError("Single '}' encountered in format string");
    } else {
      const end = closingBrace(template, at);
      result += field(template.slice(at + 1, end), values, depth);
      at = end + 1;
    }
  }
  return result;
}

function closingBrace(template: string, open: number): number {
  let depth = 0;
  for (let at = open; at < template.length; at++) {
    if (template[at] === '{') depth++;
    else if (template[at] === '}' && --depth === 0) return at;
  }
  throw new FormatError("expected '}' before end of string");
}

function field(text: string, values: ReadonlyMap<string, PythonValue>, depth: number): string {
  const parts = /^([^!:]*)(?:!([\s\S]?))?(?::([\s\S]*))?$/.exec(text);
  if (parts === null) throw new FormatError("expected ':' after conversion specifier");
  const [, name = '', conversion, spec = ''] = parts;
  const value = lookUp(name, values);
  const shown =
    conversion === undefined
      ? value
      : conversion === 'r'
        ? pythonRepr(value)
        : conversion === 's'
          ? pythonStr(value)
          : conversion === 'a'
            ? pythonAscii(value)
            : undefined;
  if (shown === undefined) throw new FormatError(`Unknown conversion specifier '${conversion ?? ''}'`);
  return formatValue(shown, nestedSpec(spec, values, depth));
}

/** A specification may hold fields of its own, which may not. */
function nestedSpec(spec: string, values: ReadonlyMap<string, PythonValue>, depth: number): string {
  if (!/[{}]/.test(spec)) return spec;
  if (depth === 0) throw new FormatError('Max string recursion exceeded');
  return fill(spec, values, depth - 1);
}

/** `name`, `name[key]`. */
function lookUp(name: string, values: ReadonlyMap<string, PythonValue>): PythonValue {
  const [, first = '', rest = ''] = /^([^.[]*)([\s\S]*)$/.exec(name)!;
  if (first === '' || /^\d+$/.test(first)) {
    throw new FormatError(
      'Replacement index 0 out of range for positional args tuple: name the value, as {a}',
    );
  }
  let value = values.get(first);
  if (value === undefined) throw new FormatError(`there is no value '${first}'`);
  let left = rest;
  while (left !== '') {
    const index = /^\[([^\]]*)\]/.exec(left);
    if (index === null) throw new FormatError(`a value has no attribute ${JSON.stringify(left)}`);
    const key = index[1]!;
    const isIndex = /^\d+$/.test(key);
    const item: PythonValue | undefined = isDictionary(value)
      ? value.get(key)
      : Array.isArray(value) && isIndex
        ? (value as readonly PythonValue[])[Number(key)]
        : typeof value === 'string' && isIndex
          ? codePoints(value)[Number(key)]
          : undefined;
    if (item === undefined) throw new FormatError(`'${first}' holds no ${JSON.stringify(key)}`);
    value = item;
    left = left.slice(index[0].length);
  }
  return value;
}

interface Spec {
  readonly fill: string;
  readonly align: '<' | '>' | '^' | '=' | undefined;
  readonly sign: '+' | '-' | ' ';
  readonly negativeZero: boolean;
  readonly alternate: boolean;
  readonly width: number;
  readonly grouping: ',' | '_' | '';
  readonly precision: number | undefined;
  readonly type: string;
}

/** The widest that a text is filled up to: beyond it, a template is a mistake or worse. */
const WIDEST = 100_000;

function parseSpec(text: string): Spec {
  const parts =
    /^(?:([\s\S])?([<>=^]))?([+\- ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u.exec(text);
  if (parts === null) throw new FormatError(`Invalid format specifier '${text}'`);
  const [, filler, align, sign, z, hash, zero, width, grouping, precision, type] = parts;
  for (const size of [width, precision]) {
    if (size !== undefined && Number(size) > WIDEST) {
      throw new FormatError(
        `the format specifier '${text.slice(0, 40)}' asks for more than ${WIDEST} characters`,
      );
    }
  }
  return {
    fill: filler ?? (zero === undefined ? ' ' : '0'),
    align: (align ?? (zero === undefined ? undefined : '=')) as Spec['align'],
    sign: (sign ?? '-') as Spec['sign'],
    negativeZero: z !== undefined,
    alternate: hash !== undefined,
    width: Number(width ?? 0),
    grouping: (grouping ?? '') as Spec['grouping'],
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? '',
  };
}

/** `format(value, spec)`. Throws `FormatError`. */
export function formatValue(value: PythonValue, specText: string): string {
  if (specText === '') return pythonStr(value);
  if (value === null || typeof value === 'object') {
    throw new FormatError(`unsupported format string for ${pythonRepr(value).slice(0, 40)}`);
  }
  const spec = parseSpec(specText);
  if (typeof value === 'string') return formatString(value, spec);
  if (typeof value === 'number') return formatFloat(value, spec);
  if (typeof value === 'boolean') return formatValue(value ? 1n : 0n, specText);
  return 'eEfFgG%'.includes(spec.type) && spec.type !== ''
    ? formatFloat(Number(value), spec)
    : formatInteger(value, spec);
}

function formatString(text: string, spec: Spec): string {
  if (spec.type !== '' && spec.type !== 's') {
    throw new FormatError(`Unknown format code '${spec.type}' for object of type 'str'`);
  }
  if (spec.align === '=' && spec.fill !== '0') {
    throw new FormatError("'=' alignment not allowed in string format specifier");
  }
  const cut = spec.precision === undefined ? text : sliceText(text, 0, spec.precision);
  return pad('', cut, { ...spec, align: spec.align === '=' ? '<' : (spec.align ?? '<') });
}

function formatInteger(value: bigint, spec: Spec): string {
  if (spec.precision !== undefined) {
    throw new FormatError('Precision not allowed in integer format specifier');
  }
  if (spec.type === 'c')
    return pad('', String.fromCodePoint(Number(value)), { ...spec, align: spec.align ?? '<' });
  const base = { b: 2, o: 8, x: 16, X: 16 }[spec.type];
  if (base === undefined && !['', 'd', 'n'].includes(spec.type)) {
    throw new FormatError(`Unknown format code '${spec.type}' for object of type 'int'`);
  }
  const magnitude = (value < 0n ? -value : value).toString(base ?? 10);
  const prefix = spec.alternate && base !== undefined ? `0${spec.type}` : '';
  const digits = spec.type === 'X' ? magnitude.toUpperCase() : magnitude;
  return numeric(value < 0n, prefix, digits, '', spec, base === undefined || spec.type === '' ? 3 : 4);
}

function formatFloat(value: number, spec: Spec): string {
  if (!['', 'e', 'E', 'f', 'F', 'g', 'G', 'n', '%'].includes(spec.type)) {
    throw new FormatError(`Unknown format code '${spec.type}' for object of type 'float'`);
  }
  const negative = value < 0 || Object.is(value, -0);
  const text = magnitudeOf(Math.abs(value), spec);
  const shown = spec.type === 'E' || spec.type === 'F' || spec.type === 'G' ? text.toUpperCase() : text;
  const isZero = spec.negativeZero && !/[1-9]/.test(shown);
  const [, whole = shown, rest = ''] = /^(\d+)([\s\S]*)$/.exec(shown) ?? [];
  return numeric(negative && !isZero, '', whole, rest, spec, 3);
}

function magnitudeOf(value: number, { type, precision, alternate }: Spec): string {
  const percent = type === '%' ? '%' : '';
  if (!Number.isFinite(value)) return (Number.isNaN(value) ? 'nan' : 'inf') + percent;
  const point = (digits: string) => (alternate && !digits.includes('.') ? `${digits}.` : digits);
  switch (type) {
    case 'f':
    case 'F':
      return point(fixedDigits(value, precision ?? 6));
    case '%':
      return point(fixedDigits(value * 100, precision ?? 6)) + percent;
    case 'e':
    case 'E':
      return exponential(value, precision ?? 6);
    case '':
      if (precision === undefined) return pythonFloat(value);
      return general(value, precision, { alternate, wholeHasPoint: true });
    default:
      return general(value, precision ?? 6, { alternate, wholeHasPoint: false });
  }
}

function exponential(value: number, precision: number): string {
  const { digits, exponent } = exponentialDigits(value, precision);
  const mantissa = precision === 0 ? digits : `${digits[0]!}.${digits.slice(1)}`;
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${power}`;
}

/** `g`; without a type, what would be a whole number keeps a digit after the point, and goes to the exponent form earlier. */
function general(
  value: number,
  given: number,
  { alternate, wholeHasPoint }: { readonly alternate: boolean; readonly wholeHasPoint: boolean },
): string {
  const precision = Math.max(given, 1);
  const { exponent } = exponentialDigits(value, precision - 1);
  const trimmed = (digits: string) =>
    alternate || !digits.includes('.') ? digits : digits.replace(/\.?0+$/, '');
  if (exponent < -4 || exponent >= precision - (wholeHasPoint ? 1 : 0)) {
    const [mantissa = '', power = ''] = exponential(value, precision - 1).split('e');
    return `${trimmed(mantissa)}e${power}`;
  }
  const digits = trimmed(fixedDigits(value, Math.max(precision - 1 - exponent, 0)));
  return wholeHasPoint && !digits.includes('.') ? `${digits}.0` : digits;
}

/** Sign, prefix and digits in groups, filled up to the width. */
function numeric(
  negative: boolean,
  prefix: string,
  whole: string,
  rest: string,
  spec: Spec,
  group: number,
): string {
  const sign = negative ? '-' : spec.sign === '-' ? '' : spec.sign;
  const lead = sign + prefix;
  // Zeros of the width are grouped as well.
  const zeros = spec.align === '=' && spec.fill === '0' && spec.grouping !== '';
  let digits = grouped(whole, spec.grouping, group);
  if (zeros) {
    let filled = whole;
    while (lead.length + digits.length + rest.length < spec.width) {
      filled = `0${filled}`;
      digits = grouped(filled, spec.grouping, group);
    }
  }
  return pad(lead, digits + rest, { ...spec, align: spec.align ?? '>' });
}

function grouped(digits: string, separator: string, group: number): string {
  if (separator === '' || !/^[0-9a-fA-F]+$/.test(digits)) return digits;
  const parts: string[] = [];
  for (let end = digits.length; end > 0; end -= group)
    parts.unshift(digits.slice(Math.max(0, end - group), end));
  return parts.join(separator);
}

function pad(lead: string, text: string, { fill: filler, align, width }: Spec): string {
  const missing = width - textLength(lead) - textLength(text);
  if (missing <= 0) return lead + text;
  const padding = (count: number) => filler.repeat(count);
  switch (align) {
    case '<':
      return lead + text + padding(missing);
    case '=':
      return lead + padding(missing) + text;
    case '^':
      return padding(Math.floor(missing / 2)) + lead + text + padding(Math.ceil(missing / 2));
    default:
      return padding(missing) + lead + text;
  }
}
