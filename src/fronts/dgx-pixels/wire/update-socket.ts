/** The socket that publishes updates. A subscriber that reads nothing loses messages and costs no memory beyond its mark. */
import { Publisher } from 'zeromq';
import { encodeMessage } from './codec.js';
import type { Doorkeeper } from './doorkeeper.js';
import { Outbox } from './outbox.js';
import type { Update } from './protocol.js';
import { bindSocket, SERVER_SOCKET_OPTIONS } from './socket-options.js';

/** Updates kept for a subscriber that lags; at about 150 bytes each. */
const HIGH_WATER_MARK = 1000;

export class UpdateSocket {
  private readonly publisher: Publisher;
  private readonly outbox: Outbox<Uint8Array>;

  constructor(onFault: (error: Error) => void, doorkeeper?: Doorkeeper) {
    this.publisher = new Publisher({ ...SERVER_SOCKET_OPTIONS, sendHighWaterMark: HIGH_WATER_MARK });
    doorkeeper?.guard(this.publisher);
    this.outbox = new Outbox((message) => this.publisher.send(message), onFault);
  }

  /** Binds and returns the endpoint with its port. Rejects when the address can't be bound. */
  start(address: string): Promise<string> {
    return bindSocket(this.publisher, address);
  }

  /** Sends an update to whoever listens; nobody is waited for. */
  publish(update: Update): void {
    this.outbox.post(encodeMessage(update));
  }

  /** Closes once everything published was handed to ZeroMQ. */
  async close(): Promise<void> {
    await this.outbox.drained();
    this.publisher.close();
  }
}
