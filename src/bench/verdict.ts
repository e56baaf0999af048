/** Whether timings before and after a change differ by more than their noise. */
import { holm, mannWhitney, median, ratioInterval, smallestP, type Interval } from './statistics.js';

/** `unclear`: no difference was found, but the noise would have hidden one of 5 % or more. */
export type Verdict = 'faster' | 'slower' | 'no difference' | 'unclear' | 'too few samples';

export interface Comparison {
  /** Median after over median before: below 1 is faster. */
  readonly ratio: number;
  /** Of `ratio`, 95 %. */
  readonly interval: Interval;
  /** Mann–Whitney's, corrected for the number of comparisons made at a time. */
  readonly p: number;
  readonly verdict: Verdict;
}

export interface Pair {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const level = 0.05;
/** Smaller changes are of no interest, however sure. */
const leastChange = 0.01;
/** Where the whole interval lies this near to 1, there is no difference worth speaking of. */
const nearness = 0.05;

/**
 * One comparison for each pair. A difference counts when it is both unlikely by chance (p below 0.05 after Holm's correction
 * for as many comparisons as there are pairs) and at least 1 % of the median. `too few samples` says that no outcome could
 * have been that unlikely.
 */
export function comparePairs(pairs: readonly Pair[]): Comparison[] {
  const corrected = holm(pairs.map(({ before, after }) => mannWhitney(before, after)));
  return pairs.map(({ before, after }, index) => {
    const ratio = median(after) / median(before);
    const p = corrected[index]!;
    const interval = ratioInterval(before, after);
    const hopeless = smallestP(before.length, after.length) * pairs.length >= level;
    return { ratio, interval, p, verdict: verdictOf(ratio, interval, p, hopeless) };
  });
}

function verdictOf(ratio: number, { low, high }: Interval, p: number, hopeless: boolean): Verdict {
  if (p < level && Math.abs(ratio - 1) >= leastChange) return ratio < 1 ? 'faster' : 'slower';
  if (low > 1 - nearness && high < 1 + nearness) return 'no difference';
  return hopeless ? 'too few samples' : 'unclear';
}
