import { describe, expect, it } from 'vitest';
import {
  holm,
  mannWhitney,
  pairedRatio,
  ratioInterval,
  smallestP,
  summarize,
} from '../../src/bench/statistics.js';
import { comparePairs } from '../../src/bench/verdict.js';
import { TorchGenerator } from '../../src/native/addon.js';

const ramp = (count: number, start = 0) => Array.from({ length: count }, (_, index) => start + index);

/** `count` timings around `center` with a deviation of `spread`, the same ones for a seed. */
function timings(seed: bigint, count: number, center: number, spread: number): number[] {
  return [...new TorchGenerator(seed).randn(Math.max(count, 16)).slice(0, count)].map(
    (value) => center + spread * value,
  );
}

describe('order statistics', () => {
  it('are NumPy’s', () => {
    expect(summarize([3, 1, 2, 4])).toEqual({ count: 4, min: 1, p50: 2.5, p95: 3.8499999999999996, max: 4 });
    expect(summarize([7])).toEqual({ count: 1, min: 7, p50: 7, p95: 7, max: 7 });
    expect(summarize(ramp(21))).toEqual({ count: 21, min: 0, p50: 10, p95: 19, max: 20 });
  });

  it('need a sample', () => {
    expect(() => summarize([])).toThrow(RangeError);
  });
});

describe('Mann–Whitney, against SciPy', () => {
  it.each([
    [[1, 2, 3], [4, 5, 6], 0.1],
    [[1.1, 2.2, 3.3, 4.4, 5.5], [2, 3, 4, 6, 7, 8], 0.329004329004329],
    [ramp(8, 10), [9.5, 10.5, 11.5, 18, 19, 20, 21], 0.46340326340326343],
  ])('exact: %j and %j', (a, b, p) => {
    expect(mannWhitney(a, b)).toBeCloseTo(p, 12);
    expect(mannWhitney(b, a)).toBeCloseTo(p, 12);
  });

  it('approximate, with ties', () => {
    const p = mannWhitney([1, 2, 2, 3, 3, 3, 4, 5], [2, 3, 4, 4, 5, 5, 6, 7]);
    expect(p).toBeCloseTo(0.05464095473294313, 6);
  });

  it('approximate, many', () => {
    expect(mannWhitney(ramp(30), ramp(25, 6.5))).toBeCloseTo(0.0959219570967795, 6);
  });

  it('of equal values finds nothing', () => {
    expect(mannWhitney([2, 2, 2], [2, 2, 2, 2])).toBe(1);
  });

  it('knows what so few samples can show at best', () => {
    expect(smallestP(3, 3)).toBeCloseTo(2 / 20, 12);
    expect(smallestP(5, 5)).toBeCloseTo(2 / 252, 12);
  });
});

it('Holm’s correction multiplies the smallest p by all, the next by one less, and never falls', () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

describe('the bootstrap interval', () => {
  it('holds the ratio of the medians, and is the same every time', () => {
    const [a, b] = [timings(1n, 40, 100, 2), timings(2n, 40, 80, 2)];
    const interval = ratioInterval(a, b);
    expect(interval.low).toBeGreaterThan(0.77);
    expect(interval.low).toBeLessThan(0.8);
    expect(interval.high).toBeGreaterThan(0.8);
    expect(interval.high).toBeLessThan(0.83);
    expect(ratioInterval(a, b)).toEqual(interval);
  });

  it('of samples without noise is a point', () => {
    expect(ratioInterval([2, 2, 2], [3, 3, 3])).toEqual({ low: 1.5, high: 1.5 });
  });
});

describe('the ratio of pairs', () => {
  it('is free of what happens to both', () => {
    const rounds = timings(11n, 20, 100, 30).map((value) => Math.abs(value) + 1);
    const ratio = pairedRatio(
      rounds,
      rounds.map((value) => value / 2),
    );
    expect(ratio).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });

  it('needs pairs', () => {
    expect(() => pairedRatio([1], [1, 2])).toThrow('1 and 2 samples are no pairs');
  });
});

describe('a verdict', () => {
  const only = (before: number[], after: number[]) => comparePairs([{ before, after }])[0]!;

  it('finds what is larger than the noise, and which way it went', () => {
    const [slow, fast] = [timings(3n, 12, 100, 3), timings(4n, 12, 90, 3)];
    expect(only(slow, fast).verdict).toBe('faster');
    expect(only(slow, fast).ratio).toBeCloseTo(0.9, 1);
    expect(only(fast, slow).verdict).toBe('slower');
    expect(only(fast, slow).interval.low).toBeGreaterThan(1);
  });

  it('finds nothing in noise, and says whether the noise could have hidden something', () => {
    expect(only(timings(5n, 12, 100, 10), timings(6n, 12, 102, 10)).verdict).toBe('unclear');
    expect(only(timings(5n, 12, 100, 1), timings(6n, 12, 100.2, 1)).verdict).toBe('no difference');
  });

  it('is not led by one outlier', () => {
    const before = timings(7n, 10, 100, 1);
    const after = before.map((ms, index) => (index === 3 ? 900 : ms - 0.01));
    expect(only(before, after).verdict).toBe('no difference');
  });

  it('leaves certain but tiny changes be', () => {
    expect(only(timings(9n, 40, 100, 0.01), timings(10n, 40, 100.5, 0.01))).toMatchObject({
      verdict: 'no difference',
    });
  });

  it('says when there are too few samples to find anything', () => {
    expect(only([10, 11, 12], [1, 2, 3]).verdict).toBe('too few samples');
    expect(only([10, 11, 12, 13, 14], [1, 2, 3, 4, 5]).verdict).toBe('faster');
  });

  it('asks for more where many comparisons are made', () => {
    const clear = { before: [10, 11, 12, 13, 14], after: [1, 2, 3, 4, 5] };
    const pairs = [clear, ...Array.from({ length: 9 }, () => ({ before: ramp(5, 1), after: ramp(5, 1) }))];
    expect(comparePairs(pairs)[0]!.verdict).toBe('too few samples');
  });

  it('raises a false alarm about as rarely as it promises', () => {
    let alarms = 0;
    for (let trial = 0; trial < 400; trial++) {
      const before = timings(BigInt(1000 + 2 * trial), 10, 100, 10);
      const after = timings(BigInt(1001 + 2 * trial), 10, 100, 10);
      if (mannWhitney(before, after) < 0.05) alarms++;
    }
    // 20 are expected of 400, with a deviation of 4.4.
    expect(alarms).toBeLessThan(38);
  });
});
