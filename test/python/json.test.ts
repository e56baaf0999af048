import { describe, expect, it } from 'vitest';
import { JsonError, parseJson } from '../../src/python/json.js';
import { literalObject, pythonJson } from '../../src/workflow/literal.js';

const positionOf = (text: string): number => {
  try {
    parseJson(text, 9);
  } catch (error) {
    if (error instanceof JsonError) return error.position;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('parseJson', () => {
  it.each([
    ['NaN', NaN],
    ['-Infinity', -Infinity],
    ['[Infinity, null, true, false]', [Infinity, null, true, false]],
    ['18446744073709551615', 18446744073709551615n],
    ['-0', 0n],
    ['1e999', Infinity],
    ['7.0', 7],
    ['[-0.0, 1E2, 5]', [-0, 100, 5n]],
    [String.raw`"\ud83d\ude00 \u0041\n\/ é \ud800"`, '😀 A\n/ é \ud800'],
    ['{"a": {}, "b": []}', literalObject({ a: new Map(), b: [] })],
    [' \t\r\n[ ]', []],
  ])('reads %s as Python does', (text, value) => {
    expect(parseJson(text, 9)).toEqual(value);
  });

  it("keeps the order of an object's keys, and the place of the first of two equal ones", () => {
    const text = '{"12": 1, "3": 2, "a": 3, "100": 4, "-1": 5, "__proto__": 6}';
    expect(pythonJson(parseJson(text, 9))).toBe(text);
    expect(pythonJson(parseJson('{"b": 1, "a": 2, "b": 3}', 9))).toBe('{"b": 3, "a": 2}');
  });

  // Python: json.loads(text) raises for each.
  it.each([
    ['{"a": 1,}', 8],
    ['[1,]', 3],
    ['{a: 1}', 1],
    ["{'a': 1}", 1],
    ['01', 1],
    ['+1', 0],
    ['.5', 0],
    ['1.', 1],
    ['nan', 0],
    ['-NaN', 0],
    ['Infinit', 0],
    ['"a\nb"', 2],
    ['"a', 2],
    [String.raw`["\x41"]`, 1],
    ['"\\', 3],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['\ufeff1', 0],
    ['\u00a01', 0],
    ['/* */ 1', 0],
    [`[${'9'.repeat(4301)}]`, 1],
  ])('refuses %j where it goes wrong', (text, position) => {
    expect(positionOf(text)).toBe(position);
  });

  it('reads integers as long as Python reads them', () => {
    expect(parseJson('9'.repeat(4300), 9)).toBe(10n ** 4300n - 1n);
  });
});
