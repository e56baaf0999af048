/** A WebSocket client, of `ws`, which comes without types. */
import { createRequire } from 'node:module';

interface RawSocket {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void;
  on(event: 'open' | 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  send(data: string | Buffer): void;
  pause(): void;
  resume(): void;
  close(): void;
  terminate(): void;
  /** What it sends over; for frames that are none. */
  readonly _socket: { write(bytes: Buffer): void };
}

const Socket = createRequire(import.meta.url)('ws') as new (
  url: string,
  options?: { readonly headers?: Readonly<Record<string, string>> },
) => RawSocket;

export interface HeardMessage {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of `/ws` that keeps all it hears. */
export class SocketClient {
  readonly heard: HeardMessage[] = [];
  readonly frames: Buffer[] = [];
  readonly closed: Promise<void>;
  private readonly waiting = new Set<() => void>();

  private constructor(readonly raw: RawSocket) {
    raw.on('message', (data, isBinary) => {
      if (isBinary) this.frames.push(data);
      else this.heard.push(JSON.parse(data.toString('utf8')) as HeardMessage);
      for (const wake of this.waiting) wake();
    });
    raw.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      raw.on('close', resolve);
    });
  }

  /** Connects to a daemon's HTTP address, and has heard the first message. */
  static async open(address: string, clientId: string): Promise<SocketClient> {
    const client = new SocketClient(new Socket(`${address.replace('http', 'ws')}/ws?clientId=${clientId}`));
    await client.until(({ type }) => type === 'status');
    return client;
  }

  async until(accepts: (message: HeardMessage) => boolean): Promise<HeardMessage> {
    return this.found(() => this.heard.find(accepts));
  }

  /** The last word on a prompt. */
  over(id: string): Promise<HeardMessage> {
    return this.until(
      ({ type, data }) => type === 'executing' && data['node'] === null && data['prompt_id'] === id,
    );
  }

  async frame(): Promise<Buffer> {
    return this.found(() => this.frames[0]);
  }

  private found<Found>(find: () => Found | undefined): Promise<Found> {
    return new Promise((resolve) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      look();
    });
  }
}
