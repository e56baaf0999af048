import { encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { structureFault } from '../../../../src/fronts/dgx-pixels/wire/structure.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('whole values', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  test.each([
    ['nil', null],
    ['a long text', 'x'.repeat(70_000)],
    [
      'numbers of every width',
      [0, 127, 255, 65_535, 2 ** 32 - 1, 2 ** 53 - 1, -1, -128, -32_768, -(2 ** 31), 1.5],
    ],
    ['binary', new Uint8Array(300)],
    ['a map of a map', { a: { b: [1, 2, 3] }, c: [] }],
    ['many elements', Array.from({ length: 70_000 }, () => 0)],
    ['a date, which is an extension', new Date(1e12)],
    ['depth', deep(90)],
  ])('%s', (_, value) => {
    expect(structureFault(encode(value))).toBeUndefined();
  });
});

describe('faults', () => {
  test.each([
    ['nothing at all', bytes(), 'ends within a value'],
    ['a text cut short', bytes(0xa5, 0x61), 'ends within a value'],
    ['a length cut short', bytes(0xdb, 0x00), 'ends within a value'],
    ['a number cut short', bytes(0xcb, 0, 0, 0), 'ends within a value'],
    ['an array without its elements', bytes(0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0), 'ends within a value'],
    ['a map without its values', bytes(0x81, 0xa1, 0x61), 'ends within a value'],
    ['the head that the specification never uses', bytes(0xc1), '0xc1, which begins no value'],
    ['something after the value', bytes(0xc0, 0xc0, 0xc0), '2 bytes follow'],
  ])('%s', (_, message, fault) => {
    expect(structureFault(message)).toContain(fault);
  });

  test('headers that each announce as much as the message could hold', () => {
    // Decoded as they are, these 1 MB would take terabytes.
    const bomb = new Uint8Array(1_000_000);
    for (let at = 0; at < bomb.length; at += 5) bomb.set([0xdd, 0, 0x0f, 0, 0], at);
    expect(structureFault(bomb)).toContain('ends within a value');
  });
});
