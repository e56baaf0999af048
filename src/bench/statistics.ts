/** What can honestly be said of a few timings: order statistics, and whether two sets of them differ. */

export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Throws `RangeError` for no samples. With fewer than 20 of them p95 lies between the two largest. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = ascending(samples);
  return {
    count: sorted.length,
    min: quantile(sorted, 0),
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    max: quantile(sorted, 1),
  };
}

export function median(samples: readonly number[]): number {
  return quantile(ascending(samples), 0.5);
}

/** Between order statistics by straight lines (Hyndman and Fan's type 7, NumPy's default). `share` lies in [0, 1]. */
function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) throw new RangeError('there is no quantile of no samples');
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * Two-sided p-value of the Mann–Whitney U test: how likely samples of one distribution lie at least as far apart. Exact for
 * up to 400 pairs without ties, else by the normal approximation with corrections for ties and continuity. Throws
 * `RangeError` when either is empty.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) throw new RangeError('a test needs samples on both sides');
  const { rankSum, tieTerm } = rankSumOf(a, b);
  const pairs = a.length * b.length;
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const extreme = Math.min(u, pairs - u);
  if (tieTerm === 0 && pairs <= exactPairs) return exactP(extreme, a.length, b.length);

  const n = a.length + b.length;
  const variance = (pairs / 12) * (n + 1 - tieTerm / (n * (n - 1)));
  if (variance === 0) return 1;
  const z = Math.max(0, pairs / 2 - extreme - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * normalTail(z));
}

/** The smallest p-value that so many samples can give: when none of one lies among the other's. */
export function smallestP(countA: number, countB: number): number {
  return exactP(0, countA, countB);
}

const exactPairs = 400;

/** The sum of `a`'s ranks among both, ties sharing theirs, and Σ(t³ − t) over groups of t equal values. */
function rankSumOf(
  a: readonly number[],
  b: readonly number[],
): { readonly rankSum: number; readonly tieTerm: number } {
  const all = [
    ...a.map((value) => ({ value, first: true })),
    ...b.map((value) => ({ value, first: false })),
  ].sort((left, right) => left.value - right.value);
  let rankSum = 0;
  let tieTerm = 0;
  for (let start = 0; start < all.length;) {
    let end = start + 1;
    while (end < all.length && all[end]!.value === all[start]!.value) end++;
    const rank = (start + 1 + end) / 2;
    rankSum += rank * all.slice(start, end).filter(({ first }) => first).length;
    tieTerm += (end - start) ** 3 - (end - start);
    start = end;
  }
  return { rankSum, tieTerm };
}

/**
 * P(U ≤ extreme) for either side together. The number of arrangements with a given U is the coefficient of a Gaussian
 * binomial, multiplied out factor by factor: Π (1 − qⁿ⁺ⁱ)/(1 − qⁱ).
 */
function exactP(extreme: number, countA: number, countB: number): number {
  const size = countA * countB + 1;
  const ways = new Float64Array(size);
  ways[0] = 1;
  for (let i = 1; i <= countA; i++) {
    for (let u = size - 1; u >= countB + i; u--) ways[u]! -= ways[u - countB - i]!;
    for (let u = i; u < size; u++) ways[u]! += ways[u - i]!;
  }
  let total = 0;
  let asExtreme = 0;
  ways.forEach((count, u) => {
    total += count;
    if (u <= extreme) asExtreme += count;
  });
  return Math.min(1, (2 * asExtreme) / total);
}

/** P(Z > z) for z ≥ 0, to 1e-7 (Abramowitz and Stegun, 26.2.17). */
function normalTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * A 95 % bootstrap interval (percentile method) of median(b) / median(a), both resampled. The same samples give the same
 * interval, because the draws come from a generator of a fixed seed.
 */
export function ratioInterval(a: readonly number[], b: readonly number[], draws = 2000): Interval {
  const random = mulberry32(1);
  const resample = (samples: readonly number[]) =>
    median(samples.map(() => samples[Math.floor(random() * samples.length)]!));
  const ratios = ascending(Array.from({ length: draws }, () => resample(b) / resample(a)));
  return { low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) };
}

/**
 * The median of b over a where both were timed in the same rounds, with a 95 % bootstrap interval: what happened to the
 * machine in one round happened to both. Throws `RangeError` when their numbers differ.
 */
export function pairedRatio(
  a: readonly number[],
  b: readonly number[],
  draws = 2000,
): Interval & { readonly value: number } {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} samples are no pairs`);
  const ratios = a.map((value, index) => b[index]! / value);
  const random = mulberry32(1);
  const medians = ascending(
    Array.from({ length: draws }, () =>
      median(ratios.map(() => ratios[Math.floor(random() * ratios.length)]!)),
    ),
  );
  return { value: median(ratios), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** Tommy Ettinger's generator of 32 bits. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Holm's correction: p-values that keep the chance of any false alarm among all of them below the level tested at. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const corrected = new Array<number>(pValues.length);
  let least = 0;
  order.forEach(({ p, index }, place) => {
    least = Math.max(least, Math.min(1, p * (pValues.length - place)));
    corrected[index] = least;
  });
  return corrected;
}

function ascending(samples: readonly number[]): number[] {
  return [...samples].sort((a, b) => a - b);
}
