/** A client of the protocol, as `latentd status`, `submit`, `cancel` and `watch` use it. */
import { Request as RequestClient, Subscriber } from 'zeromq';
import { decodeMap, encodeRequest } from './codec.js';
import { MAX_MESSAGE_BYTES } from './protocol.js';
import type { CurveClient } from './curve-keys.js';
import { applyClientSecurity } from './security.js';

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
  options: { readonly timeoutMs?: number; readonly curve?: CurveClient } = {},
): Promise<Message> {
  const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const socket = new RequestClient({ linger: 0, receiveTimeout: timeout, sendTimeout: timeout });
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

/** Updates as they are published, from the moment of the subscription on, until `signal` is aborted. */
export async function* updates(
  address: string,
  signal: AbortSignal,
  curve?: CurveClient,
): AsyncGenerator<Message, void> {
  const socket = new Subscriber({ linger: 0, maxMessageSize: MAX_MESSAGE_BYTES });
  const close = () => {
    socket.close();
  };
  applyClientSecurity(socket, curve);
  socket.connect(address);
  socket.subscribe();
  signal.addEventListener('abort', close, { once: true });
  try {
    for await (const [message] of socket) {
      if (message !== undefined) yield toMessage(message);
    }
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

function toMessage(bytes: Uint8Array): Message {
  const map = decodeMap(bytes);
  return { ...map, type: String(map['type']) };
}
