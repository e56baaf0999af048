/** Contenders that take turns, so that whatever happens to the machine happens to all of them. */
import { pairedRatio } from '../../src/bench/statistics.js';
import type { Results } from './results.js';

export interface Contender {
  readonly name: string;
  /** What is timed. */
  readonly run: () => unknown;
}

export interface ContestOptions {
  /** How often each contender has its turn. */
  readonly rounds?: number;
  /** A turn repeats the call until it has taken so many milliseconds; 0 calls once. */
  readonly turn?: number;
  /** Turns that don't count. */
  readonly warmup?: number;
}

/** Times contenders in turns; the ratios are to the first of them, round by round. Milliseconds a call. */
export async function contest(
  results: Results,
  group: string,
  contenders: readonly Contender[],
  { rounds = 30, turn = 10, warmup = 1 }: ContestOptions = {},
): Promise<void> {
  const calls = contenders.map(() => 1);
  for (const [index, contender] of contenders.entries()) {
    for (let count = 0; count < warmup; count++) calls[index] = await callsFor(contender, turn);
  }
  const samples = contenders.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let offset = 0; offset < contenders.length; offset++) {
      // Each follows each as often.
      const index = (round + offset) % contenders.length;
      samples[index]!.push(await timeCalls(contenders[index]!, calls[index]!));
    }
  }
  contenders.forEach(({ name }, index) => {
    const own = samples[index]!;
    const ratio = { to: contenders[0]!.name, ...pairedRatio(samples[0]!, own) };
    results.add({ group, name, unit: 'ms', samples: own, ...(index === 0 ? {} : { ratio }) });
  });
}

/** Milliseconds of one call, the mean over `calls`. */
async function timeCalls({ run }: Contender, calls: number): Promise<number> {
  const started = performance.now();
  for (let count = 0; count < calls; count++) {
    const result = run();
    // Waiting costs a turn of the event loop, which what is synchronous should not be charged for.
    if (result instanceof Promise) await result;
  }
  return (performance.now() - started) / calls;
}

async function callsFor(contender: Contender, turn: number): Promise<number> {
  for (let calls = 1; ; calls *= 2) {
    const ms = calls * (await timeCalls(contender, calls));
    if (ms >= turn) return Math.max(1, Math.round((calls * turn) / Math.max(ms, 1e-6)));
  }
}
