/** Turns of the event loop for what runs long without waiting, so that a cancellation from outside arrives. */
import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds that may go by without one; a turn costs as much as several small nodes. */
const PATIENCE_MS = 1;

export class EventLoopTurns {
  private last = performance.now();

  /** Whether it is time to wait for `take()`. */
  get due(): boolean {
    return performance.now() - this.last > PATIENCE_MS;
  }

  async take(): Promise<void> {
    await turn();
    this.last = performance.now();
  }
}
