/** What was heard of a job, for any number of readers, each from its beginning. */
import type { ClientEvent } from './client.js';

/** Older steps and previews are forgotten: who reads so late wants to know where it is. */
const MAX_KEPT = 500;

export class JobFeed {
  private readonly kept: ClientEvent[] = [];
  /** How many were forgotten. */
  private forgotten = 0;
  private fault: Error | undefined;
  private wake: () => void = () => undefined;
  private changed = this.nextChange();

  /** Whether its last event has come. */
  get isOver(): boolean {
    return this.kept.at(-1)?.type === 'over';
  }

  tell(event: ClientEvent): void {
    if (this.isOver || this.fault !== undefined) return;
    this.kept.push(event);
    if (this.kept.length > MAX_KEPT) {
      this.kept.shift();
      this.forgotten++;
    }
    this.turn();
  }

  /** Nothing more will be heard, and why. */
  fail(fault: Error): void {
    if (this.isOver) return;
    this.fault = fault;
    this.turn();
  }

  async *events(): AsyncGenerator<ClientEvent, void> {
    for (let at = 0; ; at++) {
      at = Math.max(at, this.forgotten);
      while (at >= this.forgotten + this.kept.length) {
        if (this.fault !== undefined) throw this.fault;
        await this.changed;
      }
      at = Math.max(at, this.forgotten);
      const event = this.kept[at - this.forgotten]!;
      yield event;
      if (event.type === 'over') return;
    }
  }

  /** Its last event. */
  async end(): Promise<Extract<ClientEvent, { type: 'over' }>> {
    for await (const event of this.events()) if (event.type === 'over') return event;
    throw new Error('a job ended without its end');
  }

  private turn(): void {
    const wake = this.wake;
    this.changed = this.nextChange();
    wake();
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
