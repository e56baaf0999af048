import { expect, it, vi } from 'vitest';
import { contest } from '../../bench/harness/contest.js';
import { formatFigure, Results } from '../../bench/harness/results.js';

it('contenders take turns, each following each, and are compared with the first', async () => {
  const results = new Results('test', 'of the harness');
  const add = vi.spyOn(results, 'add').mockImplementation(() => undefined);
  let order = '';
  const contender = (name: string) => ({
    name,
    run: () => {
      order += name;
    },
  });
  await contest(results, 'turns', ['a', 'b', 'c'].map(contender), { rounds: 3, turn: 0 });
  // After one turn each to warm up.
  expect(order.slice(-9)).toBe('abcbcacab');
  const rows = add.mock.calls.map(([row]) => row);
  expect(rows.map(({ name, ratio }) => [name, ratio?.to])).toEqual([
    ['a', undefined],
    ['b', 'a'],
    ['c', 'a'],
  ]);
  for (const { samples, unit, group } of rows) {
    expect([samples.length, unit, group]).toEqual([3, 'ms', 'turns']);
  }
});

it.each([
  [0.0123, 'ms', '12.3 µs'],
  [0.5, 'ms', '0.500 ms'],
  [123.4, 'ms', '123 ms'],
  [4567, 'ms', '4.57 s'],
  [3 * 2 ** 20, 'B', '3.00 MB'],
  [5432.1, '/s', '5432 /s'],
])('%d %s is shown as %s', (value, unit, text) => {
  expect(formatFigure(value, unit)).toBe(text);
});
