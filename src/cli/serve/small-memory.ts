/** Keeps the daemon's memory as small as its work needs it to be, also after a busy hour. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { giveBackMemory } from '../../native/addon.js';

/** Collections at most this often: one takes about ten milliseconds, in which nobody is answered. */
const INTERVAL_MS = 10_000;

/** Growth that is worth a collection: of what lies in V8's heap, and of the process. */
const HEAP_GROWTH = 2 ** 20;
const RESIDENT_GROWTH = 4 * 2 ** 20;

/**
 * V8 lets a heap grow with the load and leaves what it has promoted to the old generation lying until there is several times as
 * much: of no use in a process whose requests leave nothing behind. Returns what ends it.
 *
 * To be called after the last thread was started: V8 sets the factor back whenever it configures a heap (Heap::ConfigureHeap).
 */
export function keepMemorySmall(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let kept: { readonly heapUsed: number; readonly rss: number } = { heapUsed: 0, rss: 0 };
  const timer = setInterval(() => {
    const usage = measure();
    if (usage === undefined) return;
    const { heapUsed, rss } = usage;
    if (heapUsed < kept.heapUsed + HEAP_GROWTH && rss < kept.rss + RESIDENT_GROWTH) return;
    collect();
    giveBackMemory();
    kept = measure() ?? usage;
    // What had finalizers goes with the next collection only.
    if (kept.rss < rss - RESIDENT_GROWTH) kept = { heapUsed: 0, rss: 0 };
  }, INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** Undefined where the process has no file descriptor left to look at itself with: another time, then. */
function measure(): { readonly heapUsed: number; readonly rss: number } | undefined {
  try {
    return process.memoryUsage();
  } catch {
    return undefined;
  }
}
