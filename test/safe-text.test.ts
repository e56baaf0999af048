import { describe, expect, it } from 'vitest';
import { safeJson, safeLine, safeText, shorten } from '../src/safe-text.js';

describe('safeLine', () => {
  it.each([
    ['\x1b]0;pwned\x07\x1b[2J', String.raw`\x1b]0;pwned\x07\x1b[2J`],
    ['x\nWATCHDOG=trigger\r\n', String.raw`x\nWATCHDOG=trigger\r\n`],
    ['\u009b31m\u007f\0', String.raw`\x9b31m\x7f\x00`],
    ['a\u2028b\u2029c', String.raw`a\u2028b\u2029c`],
    ['\u202egnp.exe\u2066', String.raw`\u202egnp.exe\u2066`],
    ['\ud800!', String.raw`\ud800!`],
  ])('writes %j so that it only shows', (text, safe) => {
    expect(safeLine(text)).toBe(safe);
  });

  it.each(['Grüße, 世界', '👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'مرحبا', 'C:\\models\\x.safetensors'])('leaves %s alone', (text) => {
    expect(safeLine(text)).toBe(text);
  });

  it('bounds it', () => {
    expect(safeLine('x'.repeat(2000))).toBe(`${'x'.repeat(1000)}… (2000 characters)`);
  });
});

describe('shorten', () => {
  it('never cuts a character in two', () => {
    expect(shorten('aa😀aa', 3)).toBe('aa… (6 characters)');
    expect(shorten('aa😀aa', 4)).toBe('aa😀… (6 characters)');
    expect(shorten('aa😀aa', 6)).toBe('aa😀aa');
  });
});

it('safeText keeps newlines and nothing else', () => {
  expect(safeText('a\n\tb\x1bc')).toBe('a\n\\tb\\x1bc');
});

it('safeJson says the same JSON', () => {
  const value = { 'a\u009b\u202e': ['\u2028', '\x1b[31m', '\u007f', '😀'] };
  const safe = safeJson(JSON.stringify(value, null, 1));
  expect(safe).not.toMatch(/[\u007f-\u009f\u2028\u202e]/);
  expect(JSON.parse(safe)).toEqual(value);
});
