/**
 * Turns of engine processes that start. Starting one is a second of a core; as many at once as there are engines would all be ready
 * late, one after the other has the first of them at work soon.
 */
import { availableParallelism } from 'node:os';

/** A device that doesn't answer holds no other up longer than this. */
const LONGEST_TURN_MS = 10_000;

export class StartTurns {
  private readonly waiting: (() => void)[] = [];
  private starting = 0;

  /** Half of the cores are left to what runs already. */
  constructor(private readonly atOnce = Math.max(1, Math.floor(availableParallelism() / 2))) {}

  /** Resolves when it is the caller's turn, with what ends that. */
  async take(): Promise<() => void> {
    if (this.starting < this.atOnce) this.starting++;
    else {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      const next = this.waiting.shift();
      if (next === undefined) this.starting--;
      else next();
    };
    const timer = setTimeout(end, LONGEST_TURN_MS).unref();
    return end;
  }
}
