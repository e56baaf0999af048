import { expect, test } from 'vitest';
import { parseBytes } from '../../src/config/parse-value.js';

test.each([
  ['6000000000', 6_000_000_000],
  ['512M', 512 * 2 ** 20],
  ['6GB', 6 * 2 ** 30],
  ['6.5 GiB', 6.5 * 2 ** 30],
  ['1 tb', 2 ** 40],
])('%s is %d bytes', (text, bytes) => {
  expect(parseBytes(text, 'it')).toBe(bytes);
});

test.each(['', '-1G', '0', '1 PB', '6 G B'])('%j is no size', (text) => {
  expect(() => parseBytes(text, 'it')).toThrow('it must be a size');
});
