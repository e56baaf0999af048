import { expect, it } from 'vitest';
import { PythonRandom } from '../../src/python/random.js';

/** What CPython 3.11 draws, by seed, in the order of the test. */
const DRAWN: readonly (readonly [bigint, readonly unknown[]])[] = [
  [
    0n,
    [
      0.8444218515250481,
      794775,
      4,
      [7, 6, 2, 4, 5, 3, 1],
      [122, 91, 149, 55, 129, 35],
      [9, 4, 24, 3, 19, 8, 17],
      'c',
      5421454798251422n,
      325997320459,
      0.2405902772773305,
    ],
  ],
  [
    5n,
    [
      0.6229016948897019,
      777823,
      3,
      [3, 4, 2, 1, 5, 6, 7],
      [166, 13, 40, 28, 95, 120],
      [27, 7, 12, 17, 3, 18, 28],
      'a',
      3676295367727778n,
      400632326173,
      2.6653814872342076,
    ],
  ],
  [
    -7n,
    [
      0.32383276483316237,
      158179,
      4,
      [3, 4, 2, 5, 7, 1, 6],
      [129, 54, 9, 22, 111, 107],
      [2, 7, 29, 17, 13, 1, 18],
      'a',
      5680172517175385n,
      137214365097,
      1.3084117944699947,
    ],
  ],
  [
    632594966468793n,
    [
      0.9593616082366591,
      952789,
      5,
      [2, 7, 5, 3, 6, 1, 4],
      [52, 91, 196, 41, 163, 131],
      [13, 0, 22, 29, 15, 18, 7],
      'b',
      629570439991120n,
      930153516242,
      1.716325324320589,
    ],
  ],
  [
    9223372036854775813n,
    [
      0.3442386103531446,
      483814,
      5,
      [4, 6, 5, 3, 2, 7, 1],
      [61, 72, 122, 3, 172, 70],
      [17, 29, 14, 24, 28, 2, 20],
      'b',
      7823212928567868n,
      889879346627,
      2.267770565994739,
    ],
  ],
];

it.each(DRAWN)("draws as Python's random does from seed %s", (seed, drawn) => {
  const random = new PythonRandom(seed);
  const list = [1, 2, 3, 4, 5, 6, 7];
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
  expect([
    random.random(),
    random.integer(3, 1_000_000),
    random.choice(list),
    random.shuffled(list),
    random.sample(upTo(200), 6),
    random.sample(upTo(30), 7),
    random.weighted(['a', 'b', 'c'], [1, 2, 0.5]),
    random.bits(53),
    random.below(2 ** 40),
    random.uniform(-1, 3),
  ]).toEqual(drawn);
});

it('refuses to choose out of nothing', () => {
  const random = new PythonRandom(1);
  expect(() => random.choice([])).toThrow(RangeError);
  expect(() => random.sample([1], 2)).toThrow(RangeError);
  expect(() => random.weighted(['a'], [0])).toThrow(RangeError);
});
