import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bytes, files, folder, toggle } from '../../src/config/kinds.js';

test.each([
  ['6000000000', 6_000_000_000],
  ['512M', 512 * 2 ** 20],
  ['6GB', 6 * 2 ** 30],
  ['6.5 GiB', 6.5 * 2 ** 30],
  ['1 tb', 2 ** 40],
])('%s is %d bytes', (text, size) => {
  expect(bytes.parse([text], 'it', '/')).toBe(size);
});

test.each(['', '-1G', '0', '1 PB', '6 G B'])('%j is no size', (text) => {
  expect(() => bytes.parse([text], 'it', '/')).toThrow('it must be a size');
});

test('~ is the home folder at the start of a path, and nowhere else', () => {
  expect(folder.parse(['~/models'], 'it', '/base')).toBe(join(homedir(), 'models'));
  expect(folder.parse(['~'], 'it', '/base')).toBe(homedir());
  expect(folder.parse(['a/~/b'], 'it', '/base')).toBe('/base/a/~/b');
  expect(folder.parse(['~other'], 'it', '/base')).toBe('/base/~other');
  expect(files.parse(['~/a.yaml:b.yaml', '/c.yaml'], 'it', '/base')).toEqual([
    join(homedir(), 'a.yaml'),
    '/base/b.yaml',
    '/c.yaml',
  ]);
});

test('a toggle is on when its flag stands alone, off when it is told so', () => {
  expect(['true', '1', 'YES', 'on'].map((text) => toggle.parse([text], 'it', '/'))).toEqual(
    Array(4).fill(true),
  );
  expect(['false', '0', 'no', 'OFF'].map((text) => toggle.parse([text], 'it', '/'))).toEqual(
    Array(4).fill(false),
  );
  expect(() => toggle.parse(['maybe'], 'it', '/')).toThrow('it must be true or false, not "maybe"');
});
