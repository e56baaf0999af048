import { setImmediate as nextTurn } from 'node:timers/promises';
import { Reply, type Socket } from 'zeromq';
import { decodeZ85, type CurveServer } from './curve-keys.js';

/** ZeroMQ asks about connections to sockets of a domain. */
const ZAP_DOMAIN = 'latentd';

const WELCOME = ['200', 'OK'] as const;
const UNKNOWN_KEY = ['400', 'unknown key'] as const;

/**
 * Not a status of ZAP: libzmq closes the connection at once then. After one that refuses (300, 400, 500) it leaves a plain
 * connection open until the client goes or `handshakeInterval` is over, and the descriptor with it.
 */
const NO_ROOM = ['100', 'too many connections'] as const;

/** Failures to accept that are heard in one turn of the event loop. */
const FAILURES_A_TURN = 64;

/** After such a failure, others are heard before what was accepted since: how many are connected isn't known until then. */
const EXHAUSTED_MS = 250;

export type GuardedSocket = Socket & {
  zapDomain: string | null;
  curveServer: boolean;
  curveSecretKey: string | null;
};

export interface DoorOptions {
  /** Encrypts, and lets in whoever has the secret of a key that the server knows. Without it, everybody is let in. */
  readonly keys?: CurveServer | undefined;
  /** Connections at once, to all guarded sockets together. */
  readonly maxConnections: number;
  /** Hears of a client whose key isn't known. */
  readonly onStranger: (address: string) => void;
  /** Hears of a client that there was no room for. */
  readonly onFull: (address: string) => void;
}

/**
 * Decides who may connect to this process's sockets (ZeroMQ's RFC 27, ZAP): ZeroMQ asks it at the end of each handshake. What is
 * connected stays so, however long it is silent; once `maxConnections` are open, new ones are closed, until others go. Those whose
 * handshake isn't over count too, and go by `handshakeInterval`.
 */
export class Doorkeeper {
  private readonly socket = new Reply({ linger: 0 });
  private readonly known: ReadonlySet<string> | undefined;
  private open = 0;
  private exhaustedAt = -Infinity;

  constructor(private readonly options: DoorOptions) {
    const { keys } = options;
    this.known =
      keys && new Set([keys.publicKey, ...keys.clients].map((text) => decodeZ85(text).toString('hex')));
  }

  async start(): Promise<void> {
    await this.socket.bind('inproc://zeromq.zap.01');
    void this.answer();
  }

  /** Has ZeroMQ ask about the socket's connections; before it is bound. */
  guard(socket: GuardedSocket): void {
    socket.zapDomain = ZAP_DOMAIN;
    const { keys } = this.options;
    if (keys !== undefined) {
      socket.curveServer = true;
      socket.curveSecretKey = keys.secretKey;
    }
    void this.count(socket);
  }

  close(): void {
    this.socket.close();
  }

  /**
   * Not by `events.on`: where no descriptor is left, ZeroMQ tries to accept again and again and says so each time, and would be
   * heard without a turn for anything else on this thread.
   */
  private async count(socket: GuardedSocket): Promise<void> {
    let failures = 0;
    for await (const { type } of socket.events) {
      if (type === 'accept') this.open++;
      else if (type === 'disconnect') this.open--;
      else if (type === 'accept:error') {
        this.exhaustedAt = performance.now();
        if (++failures % FAILURES_A_TURN === 0) await nextTurn();
      }
    }
  }

  private async answer(): Promise<void> {
    for await (const [version, id, , address, , mechanism, credentials] of this.socket) {
      // The word that this connection was accepted comes another way, and may be read in the same turn.
      await nextTurn();
      const status = this.judge(address?.toString() ?? 'unknown', mechanism, credentials);
      await this.socket.send([version ?? '1.0', id ?? '', ...status, '', '']);
    }
  }

  private judge(address: string, mechanism: Buffer | undefined, credentials: Buffer | undefined) {
    const { options, known } = this;
    const knows =
      known === undefined ||
      (mechanism?.toString() === 'CURVE' &&
        credentials !== undefined &&
        known.has(credentials.toString('hex')));
    if (!knows) {
      options.onStranger(address);
      return UNKNOWN_KEY;
    }
    const exhausted = performance.now() - this.exhaustedAt < EXHAUSTED_MS;
    if (this.open <= options.maxConnections && !exhausted) return WELCOME;
    options.onFull(address);
    return NO_ROOM;
  }
}
