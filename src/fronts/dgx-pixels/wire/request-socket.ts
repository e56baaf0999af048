/** The socket that answers requests: REP-compatible towards each client, for any number of clients at once. */
import { Router } from 'zeromq';
import { decodeRequest, encodeMessage, ProtocolError } from './codec.js';
import type { Doorkeeper } from './doorkeeper.js';
import { Outbox } from './outbox.js';
import { MAX_MESSAGE_BYTES, type Reply, type Request } from './protocol.js';
import { bindSocket, SERVER_SOCKET_OPTIONS } from './socket-options.js';

/** Requests under way at once, and their bytes; beyond that the socket is not read, and ZeroMQ holds the senders back. */
const MAX_IN_FLIGHT = 1024;
const MAX_BYTES_IN_FLIGHT = 8 * MAX_MESSAGE_BYTES;

/**
 * ZeroMQ drops a peer that sends more than this without a word, so the limit that answers with an error (MAX_MESSAGE_BYTES)
 * lies well below.
 */
const MAX_FRAME_BYTES = 16 * MAX_MESSAGE_BYTES;

/** Frames of the way back that a reply repeats: the client's own address, and those of proxies between. */
const MAX_ENVELOPE_FRAMES = 16;

/** Requests that ZeroMQ reads ahead a client. */
const RECEIVE_HIGH_WATER_MARK = 16;

/** Replies that ZeroMQ keeps for a client; one that sends without reading loses those beyond, and nobody else does. */
const SEND_HIGH_WATER_MARK = 1000;

const INTERNAL_ERROR: Reply = {
  type: 'error',
  message: 'internal error; the daemon goes on, and its log says more',
};

/** Answers one request; what it throws is reported as a fault and answered with an `error`. */
export type RequestHandler = (request: Request) => Reply | Promise<Reply>;

export class RequestSocket {
  private readonly router: Router;
  private readonly outbox: Outbox<Buffer[]>;
  private inFlight = 0;
  private bytesInFlight = 0;
  private resumeReading: (() => void) | undefined;

  constructor(
    private readonly handler: RequestHandler,
    private readonly onFault: (error: Error) => void,
    doorkeeper?: Doorkeeper,
  ) {
    this.router = new Router({
      ...SERVER_SOCKET_OPTIONS,
      maxMessageSize: MAX_FRAME_BYTES,
      receiveHighWaterMark: RECEIVE_HIGH_WATER_MARK,
      sendHighWaterMark: SEND_HIGH_WATER_MARK,
    });
    doorkeeper?.guard(this.router);
    this.outbox = new Outbox((message) => this.router.send(message), onFault);
  }

  /** Binds, begins to answer, and returns the endpoint with its port. Rejects when the address can't be bound. */
  async start(address: string): Promise<string> {
    const endpoint = await bindSocket(this.router, address);
    this.read().catch(this.onFault);
    return endpoint;
  }

  /** Closes once the replies that are ready have gone out. */
  async close(): Promise<void> {
    await this.outbox.drained();
    this.router.close();
  }

  private async read(): Promise<void> {
    for await (const frames of this.router) {
      this.answer(frames);
      if (this.inFlight < MAX_IN_FLIGHT && this.bytesInFlight < MAX_BYTES_IN_FLIGHT) continue;
      await new Promise<void>((resolve) => {
        this.resumeReading = resolve;
      });
    }
  }

  private answer(frames: readonly Buffer[]): void {
    // Addresses of the way back, then an empty frame, then the body; only DEALER sockets may leave the empty frame out.
    const delimiter = frames.slice(1, MAX_ENVELOPE_FRAMES).findIndex((frame) => frame.byteLength === 0);
    // Without a delimiter, the body follows the address.
    const bodyAt = delimiter + 2;
    const envelope = frames.slice(0, bodyAt);
    const reply = this.replyTo(frames.slice(bodyAt));
    if (!(reply instanceof Promise)) {
      this.post(envelope, reply);
      return;
    }
    const bytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0);
    this.inFlight++;
    this.bytesInFlight += bytes;
    void reply
      .catch((cause: unknown) => this.errorReply(cause))
      .then((message) => {
        this.inFlight--;
        this.bytesInFlight -= bytes;
        this.resumeReading?.();
        this.resumeReading = undefined;
        this.post(envelope, message);
      });
  }

  private replyTo(body: readonly Buffer[]): Reply | Promise<Reply> {
    try {
      const [payload] = body;
      if (payload === undefined || body.length !== 1) {
        throw new ProtocolError(`expected a message of one frame, got ${body.length}`);
      }
      return this.handler(decodeRequest(payload));
    } catch (cause) {
      return this.errorReply(cause);
    }
  }

  private errorReply(cause: unknown): Reply {
    if (cause instanceof ProtocolError) return { type: 'error', message: cause.message };
    this.onFault(cause instanceof Error ? cause : new Error(String(cause)));
    return INTERNAL_ERROR;
  }

  private post(envelope: readonly Buffer[], reply: Reply): void {
    let bytes: Uint8Array;
    try {
      bytes = encodeMessage(reply);
    } catch (cause) {
      bytes = encodeMessage(this.errorReply(cause));
    }
    this.outbox.post([...envelope, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)]);
  }
}
