/** A client of the protocol, as `latentd status`, `submit`, `cancel` and `watch` use it. */
import { setTimeout as delay } from 'node:timers/promises';
import { Request as RequestClient, Subscriber } from 'zeromq';
import { decodeMap, encodeRequest } from './codec.js';
import type { CurveClient } from './curve-keys.js';
import { applyClientSecurity } from './security.js';
import { isIpv6 } from './socket-options.js';

/** A message as it came: a map whose `type` says which. */
export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

/** No answer came in time; the message names the address. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Clients of the protocol give up after five seconds. */
const DEFAULT_TIMEOUT_MS = 5000;

/** Sends one request and returns its reply. Throws `NoAnswerError`. */
export async function request(
  address: string,
  message: Readonly<Record<string, unknown>>,
  options: { readonly timeoutMs?: number; readonly curve?: CurveClient | undefined } = {},
): Promise<Message> {
  const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const socket = new RequestClient({
    linger: 0,
    receiveTimeout: timeout,
    sendTimeout: timeout,
    ipv6: isIpv6(address),
  });
  try {
    applyClientSecurity(socket, options.curve);
    socket.connect(address);
    await socket.send(encodeRequest(message));
    const [reply] = await socket.receive();
    return toMessage(reply ?? new Uint8Array());
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EAGAIN') {
      throw new NoAnswerError(
        `no answer from ${address} within ${timeout / 1000} s; is \`latentd serve\` running there?`,
      );
    }
    throw cause;
  } finally {
    socket.close();
  }
}

/** A subscription to updates; what was published before it is not heard. */
export class UpdateStream {
  private readonly socket: Subscriber;
  private readonly connected: Promise<void>;

  constructor(address: string, curve?: CurveClient) {
    this.socket = new Subscriber({ linger: 0, ipv6: isIpv6(address) });
    applyClientSecurity(this.socket, curve);
    this.connected = new Promise((resolve) => {
      this.socket.events.on('handshake', () => {
        resolve();
      });
    });
    this.socket.connect(address);
    this.socket.subscribe();
  }

  /** Resolves when the subscription has most likely arrived, or at the latest after `timeoutMs`. */
  async settled(timeoutMs = 1000): Promise<void> {
    await Promise.race([this.connected, delay(timeoutMs, undefined, { ref: false })]);
    // The subscription itself follows the greeting, and no word comes back.
    await delay(20);
  }

  /** Updates as they are published, until `close`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void> {
    for await (const [message] of this.socket) {
      if (message !== undefined) yield toMessage(message);
    }
  }

  close(): void {
    this.socket.close();
  }
}

function toMessage(bytes: Uint8Array): Message {
  const map = decodeMap(bytes);
  return { ...map, type: String(map['type']) };
}
