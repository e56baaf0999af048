/** ZeroMQ's JavaScript sockets take one `send` at a time; an outbox keeps what waits for its turn. */
export class Outbox<Message> {
  private waiting: Message[] = [];
  private flushing = false;
  private sending: Promise<void> = Promise.resolve();

  /** `onFault` hears of a send that failed; the rest goes on. */
  constructor(
    private readonly send: (message: Message) => Promise<void>,
    private readonly onFault: (error: Error) => void,
  ) {}

  post(message: Message): void {
    this.waiting.push(message);
    if (!this.flushing) this.sending = this.flush();
  }

  /** Resolves when everything posted so far was handed to ZeroMQ. */
  async drained(): Promise<void> {
    await this.sending;
  }

  private async flush(): Promise<void> {
    this.flushing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      for (const message of batch) {
        try {
          await this.send(message);
        } catch (error) {
          this.onFault(error instanceof Error ? error : new Error(String(error)));
        }
      }
    }
    // In the same turn as the last look at what waits: a message posted any later starts a flush of its own.
    this.flushing = false;
  }
}
