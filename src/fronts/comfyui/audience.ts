/** Clients by the ids that they call themselves, their sockets, and what they missed while they had none. */
import type { ClientSocket } from '../http/client-socket.js';
import type { ComfyMessage } from './messages.js';

/** Beyond so many bytes on their way to a client, it gets no previews and steps, for these grow old. */
const BUSY_BYTES = 2 ** 18;
/** Beyond so many, its socket is closed: what it misses from then on, it is told when it comes back. */
const STUCK_BYTES = 2 ** 24;
const MAX_MISSED = 500;
const MAX_ABSENT = 1000;
const KEEP_MISSED_MS = 15 * 60_000;
const PING_INTERVAL_MS = 30_000;
const WS_TRY_AGAIN_LATER = 1013;

/** Of these, the last one says all. */
const FLEETING: ReadonlySet<string> = new Set(['progress', 'progress_state']);

interface Seat {
  readonly socket: ClientSocket;
  readonly features: Readonly<Record<string, unknown>>;
  isAlive: boolean;
}

interface Absence {
  readonly missed: ComfyMessage[];
  at: number;
}

export class Clients {
  private readonly seats = new Map<string, Seat>();
  private readonly absent = new Map<string, Absence>();
  private readonly pinging = setInterval(() => {
    this.ping();
  }, PING_INTERVAL_MS).unref();

  get count(): number {
    return this.seats.size;
  }

  /** Whether anybody hears what is told to this client; all of them where no client is named. */
  hears(client: string | undefined): boolean {
    return client === undefined ? this.seats.size > 0 : this.seats.has(client);
  }

  /** A client has come, or come back: a socket that it had before hears no more. It is told `greeting`, then what it missed. */
  enter(client: string, socket: ClientSocket, greeting: readonly ComfyMessage[]): void {
    this.seats.set(client, { socket, features: {}, isAlive: true });
    socket.on('pong', () => {
      const seat = this.seats.get(client);
      if (seat !== undefined && seat.socket === socket) seat.isAlive = true;
    });
    socket.on('close', () => {
      if (this.seats.get(client)?.socket === socket) this.seats.delete(client);
    });
    const missed = this.absent.get(client);
    this.absent.delete(client);
    const isFresh = missed !== undefined && performance.now() - missed.at < KEEP_MISSED_MS;
    for (const message of [...greeting, ...(isFresh ? missed.missed : [])]) this.tell(client, message);
  }

  /** What a client says it can do. */
  learn(client: string, features: Readonly<Record<string, unknown>>): void {
    const seat = this.seats.get(client);
    if (seat !== undefined) this.seats.set(client, { ...seat, features });
  }

  /** Tells one client, now or when it comes. */
  tell(client: string, message: ComfyMessage): void {
    const seat = this.seats.get(client);
    if (seat === undefined) this.remember(client, message);
    else this.send(client, seat, message, JSON.stringify(message));
  }

  /** Tells all who are here. */
  broadcast(message: ComfyMessage): void {
    const text = JSON.stringify(message);
    for (const [client, seat] of this.seats) this.send(client, seat, message, text);
  }

  /** Shows a picture to one client, or to all who are here; `frames` makes it for those who can do something or can't. */
  show(client: string | undefined, frame: (features: Seat['features']) => Buffer): void {
    this.sendFrames(client, frame, BUSY_BYTES);
  }

  /** The same of a picture that is a result: it is left out for those alone who take nothing at all. */
  hand(client: string | undefined, frame: (features: Seat['features']) => Buffer): void {
    this.sendFrames(client, frame, STUCK_BYTES);
  }

  close(): void {
    clearInterval(this.pinging);
  }

  private sendFrames(
    client: string | undefined,
    frame: (features: Seat['features']) => Buffer,
    mostBuffered: number,
  ): void {
    const seats = client === undefined ? [...this.seats.values()] : [this.seats.get(client)];
    for (const seat of seats) {
      if (seat === undefined || seat.socket.bufferedAmount > mostBuffered) continue;
      seat.socket.send(frame(seat.features));
    }
  }

  private send(client: string, { socket }: Seat, message: ComfyMessage, text: string): void {
    if (socket.bufferedAmount > BUSY_BYTES && FLEETING.has(message.type)) return;
    if (socket.bufferedAmount > STUCK_BYTES || socket.readyState !== socket.OPEN) {
      this.seats.delete(client);
      socket.close(WS_TRY_AGAIN_LATER, 'too slow');
      socket.terminate();
      this.remember(client, message);
      return;
    }
    socket.send(text);
  }

  private remember(client: string, message: ComfyMessage): void {
    const absence = this.absent.get(client) ?? { missed: [], at: 0 };
    // Last in the map is who missed something last.
    this.absent.delete(client);
    this.absent.set(client, absence);
    absence.at = performance.now();
    const { missed } = absence;
    const stale = FLEETING.has(message.type) ? missed.findIndex(({ type }) => type === message.type) : -1;
    if (stale >= 0) missed.splice(stale, 1);
    missed.push(message);
    if (missed.length > MAX_MISSED) missed.shift();
    if (this.absent.size > MAX_ABSENT) {
      const [longest] = this.absent.keys();
      if (longest !== undefined) this.absent.delete(longest);
    }
  }

  /** Who is gone without a word is found out. */
  private ping(): void {
    for (const seat of this.seats.values()) {
      if (!seat.isAlive) seat.socket.terminate();
      seat.isAlive = false;
      if (seat.socket.readyState === seat.socket.OPEN) seat.socket.ping();
    }
  }
}
