/**
 * A timer that counts only the time in which this process ran. A daemon that was stopped for an hour (SIGSTOP, a frozen container)
 * has an hour of messages to read when it goes on; by the clock on the wall every limit would be over before the first of them.
 */
const TICKS = 20;
const LONGEST_TICK_MS = 1000;

export class AwakeTimer {
  private readonly tickMs: number;
  private readonly ticking: NodeJS.Timeout;
  private elapsed = 0;
  private lastTick: number;

  /** Calls `onEnd` once, after so many seconds; later by a twentieth or a second at the most. */
  constructor(
    private readonly seconds: number,
    private readonly onEnd: () => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.tickMs = Math.min(LONGEST_TICK_MS, (seconds * 1000) / TICKS);
    this.lastTick = now();
    this.ticking = setInterval(() => {
      this.tick();
    }, this.tickMs);
  }

  /** Begins to count again. */
  refresh(): void {
    this.elapsed = 0;
  }

  clear(): void {
    clearInterval(this.ticking);
  }

  /** Public for tests, whose clock jumps. */
  tick(): void {
    const now = this.now();
    this.elapsed += Math.min(now - this.lastTick, 2 * this.tickMs);
    this.lastTick = now;
    if (this.elapsed < this.seconds * 1000) return;
    this.clear();
    this.onEnd();
  }
}
