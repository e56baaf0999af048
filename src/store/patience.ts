/** Trying again while a store can't be reached. */
import { setTimeout as delay } from 'node:timers/promises';
import { safeLine } from '../safe-text.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * What `work` comes to, tried again with growing pauses while it fails in a way that may pass. Rejects with what won't, or once `signal` is
 * aborted.
 */
export async function withPatience<Result>(
  work: () => Promise<Result>,
  {
    mayPass,
    signal,
    notice,
  }: {
    readonly mayPass: (error: unknown) => boolean;
    readonly signal: AbortSignal;
    /** Told of every failure that is tried again. */
    readonly notice: (text: string) => void;
  },
): Promise<Result> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      const why = error instanceof Error ? error.message || error.name : String(error);
      notice(`the store can't be reached, trying again in ${pause / 1000} s: ${safeLine(why, 300)}`);
      await delay(pause, undefined, { signal });
    }
  }
}
