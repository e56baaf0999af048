import { describe, expect, it } from 'vitest';
import { ConversionError, toBoolean, toFloat, toInt, toText } from '../../src/workflow/convert.js';
import { pythonFloat } from '../../src/python-float.js';
import { literalObject, pythonJson, pythonRepr, toJson, type Literal } from '../../src/workflow/literal.js';
import { reference } from './validation-fixture.js';

const attempt = (convert: (value: Literal) => unknown, value: Literal) => {
  try {
    const converted = convert(value);
    const infinite = converted === Infinity || converted === -Infinity;
    return { value: infinite ? pythonFloat(converted) : converted };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    return { error: error.message };
  }
};

describe.each(reference.conversions)('$repr, as Python has it', ({ given, repr, json, ...expected }) => {
  it('is written the same', () => {
    expect(pythonRepr(given)).toBe(repr);
    expect(pythonJson(given)).toBe(json);
  });

  it('converts the same', () => {
    expect(attempt(toInt, given)).toEqual(expected.int);
    expect(attempt(toFloat, given)).toEqual(expected.float);
    expect(attempt(toText, given)).toEqual(expected.str);
    expect(attempt(toBoolean, given)).toEqual(expected.bool);
  });
});

describe('toJson', () => {
  it('keeps every digit of an integer that a double would round', () => {
    expect(toJson(18446744073709551615n)).toBe('18446744073709551615');
    expect(toJson(literalObject({ seed: 7n, list: [9007199254740991n, 0.5, null] }))).toEqual({
      seed: 7,
      list: [9007199254740991, 0.5, null],
    });
  });

  it('writes what JSON has no number for as text', () => {
    expect(toJson([Infinity, -Infinity])).toEqual(['inf', '-inf']);
  });
});
