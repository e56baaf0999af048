/** ZeroMQ's JavaScript sockets take one `send` at a time; an outbox keeps what waits for its turn. */
export class Outbox<Message> {
  private waiting: Message[] = [];
  private sending: Promise<void> | undefined;

  /** `onFault` hears of a send that failed; the rest goes on. */
  constructor(
    private readonly send: (message: Message) => Promise<void>,
    private readonly onFault: (error: Error) => void,
  ) {}

  post(message: Message): void {
    this.waiting.push(message);
    this.sending ??= this.flush().finally(() => {
      this.sending = undefined;
    });
  }

  /** Resolves when everything posted so far was handed to ZeroMQ. */
  async drained(): Promise<void> {
    await this.sending;
  }

  private async flush(): Promise<void> {
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
  }
}
