/**
 * Takes entries of a Redis stream as a member of a group: at least once, with effects that happen once. An entry is kept by
 * heartbeats while it is worked on, and taken over from a consumer that is silent; whatever is written for it is fenced by
 * the number of its deliveries; one that was delivered too often goes to a stream of dead letters.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { safeLine } from '../../safe-text.js';
import { FENCED, FORGET_CONSUMERS, HEARTBEAT, TRIM } from './scripts.js';

/** A command and its arguments. */
export type Command = readonly string[];

/** An entry that this consumer has. */
export interface Claim {
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
  /** Aborted when it is somebody else's, or this consumer stops. */
  readonly signal: AbortSignal;
  /** Runs commands while the entry is this consumer's; false where it isn't any more. */
  write(commands: readonly Command[]): Promise<boolean>;
}

/** What becomes of an entry, with commands that run as one with it. */
export type Ending =
  | { readonly kind: 'done'; readonly commands: readonly Command[] }
  /** It can't be worked on, now or ever. */
  | { readonly kind: 'dead'; readonly reason: string; readonly commands: readonly Command[] }
  /** Another consumer should have it, at once. */
  | { readonly kind: 'handed back' };

export interface ConsumerOptions {
  readonly open: (name: string) => Redis;
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Between two heartbeats. */
  readonly heartbeatMs: number;
  readonly maxDeliveries: number;
  /** How many entries could be begun now, beside those that are held. */
  readonly capacity: () => number;
  readonly handle: (claim: Claim) => Promise<Ending>;
  /** What is to be said of an entry that was delivered too often. */
  readonly onDead: (fields: Readonly<Record<string, string>>, reason: string) => readonly Command[];
  readonly log: Logger;
}

const BLOCK_MS = 5000;
const TRIM_INTERVAL_MS = 60_000;
/** After so long a consumer that has nothing is forgotten. */
const CONSUMER_IDLE_MS = 3_600_000;
const FAULT_PAUSE_MS = 1000;
/** An idle time with which a handed back entry is anybody's. */
const HANDED_BACK_MS = 86_400_000;
const MAX_REASON = 500;

type Entry = readonly [id: string, fields: readonly string[] | null];

interface Held {
  readonly deliveries: number;
  readonly cancellation: AbortController;
}

export class StreamConsumer {
  private readonly client: Redis;
  /** Its commands block. */
  private readonly reader: Redis;
  private readonly held = new Map<string, Held>();
  private readonly work = new Set<Promise<void>>();
  private readonly closing = new AbortController();
  private readonly timers: NodeJS.Timeout[] = [];
  private loops: Promise<unknown> = Promise.resolve();
  private wake: () => void = () => undefined;
  private reclaiming = false;
  /** There are entries of silent consumers, and there was no room: they come before new ones. */
  private reclaimDue = false;
  private trimmedAt = performance.now();

  constructor(private readonly options: ConsumerOptions) {
    this.client = options.open('work');
    this.reader = options.open('read');
  }

  /** Begins; the server need not be there yet. */
  begin(): void {
    const { heartbeatMs } = this.options;
    const every = (ms: number, what: () => Promise<void>) => {
      let busy = false;
      const timer = setInterval(() => {
        // While the server is away, what is due waits; it must not pile up.
        if (busy) return;
        busy = true;
        what()
          .catch((error: unknown) => {
            this.report(error);
          })
          .finally(() => {
            busy = false;
          });
      }, ms);
      this.timers.push(timer);
    };
    every(heartbeatMs, () => this.beat());
    every(heartbeatMs / 2, () => this.reclaim());
    this.loops = this.read();
    const { stream, group, consumer, log } = this.options;
    log.info({ stream, group, consumer }, 'work is taken from redis');
  }

  /** There may be room for another entry. */
  roomAgain(): void {
    this.wake();
  }

  get holding(): number {
    return this.held.size;
  }

  /** Takes no more; what is held is waited for, for it is done or handed back by now or soon. */
  async close(): Promise<void> {
    const { stream, group, consumer } = this.options;
    this.closing.abort();
    this.wake();
    for (const { cancellation } of this.held.values()) cancellation.abort();
    this.reader.disconnect();
    await this.loops;
    // A server that is away has the rest; it goes to others after a while.
    const patience = new AbortController();
    const gone = delay(CLOSE_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.work), gone]);
    for (const timer of this.timers) clearInterval(timer);
    if (this.client.status === 'ready' && this.held.size === 0) {
      await Promise.race([this.client.xgroup('DELCONSUMER', stream, group, consumer).catch(() => 0), gone]);
    }
    patience.abort();
    this.client.disconnect();
  }

  private get deadStream(): string {
    return `${this.options.stream}:dead`;
  }

  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }

  private get free(): number {
    return Math.max(0, this.options.capacity());
  }

  /** New entries, as many at a time as can be begun. */
  private async read(): Promise<void> {
    const { stream, group, consumer } = this.options;
    while (!this.isClosing()) {
      try {
        await this.untilRoom();
        if (this.reclaimDue) await this.reclaim();
        if (this.isClosing()) return;
        if (this.free === 0) continue;
        const reply = (await this.reader.xreadgroup(
          ...([
            'GROUP',
            group,
            consumer,
            'COUNT',
            this.free,
            'BLOCK',
            BLOCK_MS,
            'STREAMS',
            stream,
            '>',
          ] as const),
        )) as readonly (readonly [string, readonly Entry[]])[] | null;
        for (const entry of reply?.[0]?.[1] ?? []) this.take(entry, 1);
      } catch (error) {
        if (this.isClosing()) return;
        if (error instanceof Error && error.message.startsWith('NOGROUP')) await this.makeGroup();
        else {
          this.report(error);
          await delay(FAULT_PAUSE_MS, undefined, { signal: this.closing.signal }).catch(() => undefined);
        }
      }
    }
  }

  private async untilRoom(): Promise<void> {
    while (this.free === 0 && !this.isClosing()) {
      await new Promise<void>((resolve) => {
        // An engine that is up again wakes nobody.
        const timer = setTimeout(resolve, FAULT_PAUSE_MS);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** At 0: entries that came before the group count as well. */
  private async makeGroup(): Promise<void> {
    const { stream, group } = this.options;
    await this.client.xgroup('CREATE', stream, group, '0', 'MKSTREAM').catch((error: unknown) => {
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) this.report(error);
    });
  }

  private take([id, fields]: Entry, deliveries: number): void {
    // A deleted entry has none.
    if (fields === null || this.held.has(id)) return;
    const cancellation = new AbortController();
    if (this.isClosing()) cancellation.abort();
    this.held.set(id, { deliveries, cancellation });
    const work = this.workOn(id, record(fields) as Record<string, string>, deliveries, cancellation.signal)
      .catch((error: unknown) => {
        // It stays pending, and somebody takes it over.
        this.report(error);
      })
      .finally(() => {
        this.held.delete(id);
        this.work.delete(work);
        this.wake();
      });
    this.work.add(work);
  }

  private async workOn(
    id: string,
    fields: Readonly<Record<string, string>>,
    deliveries: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { group, consumer, stream, maxDeliveries, handle, onDead, log } = this.options;
    const write = async (commands: readonly Command[], acknowledge: boolean): Promise<boolean> => {
      const held = await this.client.eval(
        FENCED,
        1,
        ...[
          stream,
          group,
          consumer,
          id,
          String(deliveries),
          acknowledge ? '1' : '0',
          JSON.stringify(commands),
        ],
      );
      if (held === 1) return true;
      log.warn(
        { entry: id, deliveries },
        "an entry is no longer this consumer's; what was done for it is dropped",
      );
      return false;
    };
    const ending: Ending =
      deliveries > maxDeliveries
        ? this.tooOften(fields, deliveries, onDead)
        : await handle({ id, fields, deliveries, signal, write: (commands) => write(commands, false) });
    if (ending.kind === 'done') await write(ending.commands, true);
    else if (ending.kind === 'handed back') {
      await write(
        [['XCLAIM', stream, group, 'handed-back', '0', id, 'IDLE', String(HANDED_BACK_MS), 'JUSTID']],
        false,
      );
    } else {
      const letter = Object.entries({
        ...fields,
        entry: id,
        deliveries: String(deliveries),
        reason: ending.reason,
      });
      log.error({ entry: id, deliveries, reason: ending.reason }, 'an entry goes to the dead letters');
      await write([...ending.commands, ['XADD', this.deadStream, '*', ...letter.flat()]], true);
    }
  }

  private tooOften(
    fields: Readonly<Record<string, string>>,
    deliveries: number,
    onDead: ConsumerOptions['onDead'],
  ): Ending {
    const reason = `delivered ${deliveries - 1} times, and no consumer came to an end with it`;
    return { kind: 'dead', reason, commands: onDead(fields, reason) };
  }

  private async beat(): Promise<void> {
    const { stream, group, consumer } = this.options;
    const entries = [...this.held].flatMap(([id, { deliveries }]) => [id, String(deliveries)]);
    if (entries.length > 0) {
      const lost = (await this.client.eval(HEARTBEAT, 1, stream, group, consumer, ...entries)) as string[];
      for (const id of lost) this.held.get(id)?.cancellation.abort();
    }
    if (performance.now() - this.trimmedAt < TRIM_INTERVAL_MS || this.isClosing()) return;
    this.trimmedAt = performance.now();
    await this.client.eval(TRIM, 1, stream);
    await this.client.eval(FORGET_CONSUMERS, 1, stream, group, CONSUMER_IDLE_MS);
  }

  /** Entries of consumers that are silent. Two heartbeats may be lost, but not three. */
  private async reclaim(): Promise<void> {
    const { stream, group, consumer, heartbeatMs } = this.options;
    if (this.reclaiming || this.isClosing()) return;
    this.reclaiming = true;
    this.reclaimDue = false;
    try {
      if (this.free === 0) {
        const idle = ['IDLE', 2 * heartbeatMs, '-', '+', 1] as const;
        this.reclaimDue = (await this.client.xpending(stream, group, ...idle)).length > 0;
        return;
      }
      let cursor = '0-0';
      do {
        const { free } = this;
        if (free === 0) {
          this.reclaimDue = true;
          return;
        }
        const [next, entries] = (await this.client.xautoclaim(
          ...([stream, group, consumer, 2 * heartbeatMs, cursor, 'COUNT', free] as const),
        )) as [string, Entry[]];
        for (const entry of entries) {
          const [pending] = (await this.client.xpending(
            ...([stream, group, entry[0], entry[0], 1, consumer] as const),
          )) as [string, string, number, number][];
          if (pending === undefined) continue;
          this.take(entry, pending[3]);
        }
        cursor = next;
      } while (cursor !== '0-0' && !this.isClosing());
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOGROUP'))) throw error;
    } finally {
      this.reclaiming = false;
    }
  }

  private report(error: unknown): void {
    if (this.isClosing()) return;
    const fault = safeLine(error instanceof Error ? error.message : String(error), MAX_REASON);
    this.options.log.warn({ stream: this.options.stream, fault }, 'redis could not do what was asked');
  }
}

/** For what is held to be written or handed back. */
const CLOSE_PATIENCE_MS = 5000;

/** Fields and values in turn, as Redis lists them. */
function record(list: readonly (string | number | null)[]): Record<string, string | number | null> {
  const entries: [string, string | number | null][] = [];
  for (let index = 0; index + 1 < list.length; index += 2)
    entries.push([String(list[index]), list[index + 1]!]);
  return Object.fromEntries(entries);
}
