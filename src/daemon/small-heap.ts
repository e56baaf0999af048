/** Keeps V8's heap of the daemon as small as its work needs it to be, also after a busy hour. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collections at most this often: one takes about ten milliseconds, in which nobody is answered. */
const INTERVAL_MS = 10_000;

/** Garbage that is worth a collection. */
const GARBAGE_BYTES = 2 ** 20;

/**
 * V8 lets a heap grow with the load and leaves what it has promoted to the old generation lying until there is several times as
 * much: of no use in a process whose requests leave nothing behind. Returns what ends it.
 *
 * To be called after the last thread was started: V8 sets the factor back whenever it configures a heap (Heap::ConfigureHeap).
 */
export function keepHeapSmall(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let live = 0;
  const timer = setInterval(() => {
    if (process.memoryUsage().heapUsed < live + GARBAGE_BYTES) return;
    collect();
    live = process.memoryUsage().heapUsed;
  }, INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
