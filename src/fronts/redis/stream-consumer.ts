/**
 * Takes entries of a Redis stream as a member of a group, at least once each: new ones as many at a time as can be begun, and before
 * them those of consumers that are silent. What is done with an entry is in held-entries.ts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { safeLine } from '../../safe-text.js';
import type { VitalMeasure } from '../vitals.js';
import { HeldEntries, deadStream, type Entry, type EntryOptions } from './held-entries.js';
import { FORGET_CONSUMERS, TRIM } from './scripts.js';
import { streamBacklog } from './server-vital.js';

export interface ConsumerOptions extends EntryOptions {
  readonly open: (name: string) => Redis;
  /** Within three of them an entry of a consumer that is silent is somebody else's. It is kept twice in each. */
  readonly heartbeatMs: number;
  /** How many entries could be begun now, beside those that are held. */
  readonly capacity: () => number;
}

const BLOCK_MS = 5000;
/** Heartbeats after which an entry that nobody kept is anybody's. */
const SILENCE = 1.5;
const TRIM_INTERVAL_MS = 60_000;
/** After so long a consumer that has nothing is forgotten. */
const CONSUMER_IDLE_MS = 3_600_000;
const FAULT_PAUSE_MS = 1000;
/** For what is held to be written or handed back. */
const CLOSE_PATIENCE_MS = 5000;
const MAX_REASON = 500;

export class StreamConsumer {
  private readonly client: Redis;
  /** Its commands block. */
  private readonly reader: Redis;
  private readonly held: HeldEntries;
  private readonly closing = new AbortController();
  private readonly timers: NodeJS.Timeout[] = [];
  private loops: Promise<unknown> = Promise.resolve();
  private wake: () => void = () => undefined;
  private reclaiming: Promise<void> | undefined;
  /** There may be entries of silent consumers: they come before new ones. */
  private reclaimDue = true;
  private takenOver = 0;
  private trimmedAt = performance.now();
  /** When the server was there again after it was away. */
  private backAt = -Infinity;

  constructor(private readonly options: ConsumerOptions) {
    this.client = options.open('work');
    this.reader = options.open('read');
    this.held = new HeldEntries(
      this.client,
      options,
      () => {
        this.wake();
      },
      (error) => {
        this.report(error);
      },
    );
    let wasAway = false;
    this.client.on('close', () => {
      wasAway = true;
    });
    this.client.on('ready', () => {
      if (wasAway) this.backAt = performance.now();
    });
  }

  /** Begins; the server need not be there yet. */
  begin(): void {
    const { stream, group, consumer, heartbeatMs, log } = this.options;
    this.every(heartbeatMs / 2, () => this.beat());
    this.every(heartbeatMs / 4, () => this.reclaim());
    this.loops = this.read();
    log.info({ stream, group, consumer }, 'work is taken from redis');
  }

  /** There may be room for another entry. */
  roomAgain(): void {
    this.wake();
  }

  get holding(): number {
    return this.held.size;
  }

  /** What waits in the server, and what this consumer took over. */
  async backlog(): Promise<readonly VitalMeasure[]> {
    const { stream, group } = this.options;
    return [
      ...(await streamBacklog(this.client, { stream, group, deadStream: deadStream(stream) })),
      {
        name: 'redis_reclaims_total',
        help: 'Entries that this worker took over from one that was silent',
        value: this.takenOver,
      },
    ];
  }

  /** Takes no more; what is held is waited for, for it is done or handed back by now or soon. */
  async close(): Promise<void> {
    const { stream, group, consumer } = this.options;
    this.closing.abort();
    this.wake();
    this.held.cancel();
    this.reader.disconnect();
    await this.loops;
    // A server that is away has the rest; it goes to others after a while.
    const patience = new AbortController();
    const gone = delay(CLOSE_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([this.held.settled(), gone]);
    for (const timer of this.timers) clearInterval(timer);
    if (this.client.status === 'ready' && this.held.size === 0) {
      await Promise.race([this.client.xgroup('DELCONSUMER', stream, group, consumer).catch(() => 0), gone]);
    }
    patience.abort();
    this.client.disconnect();
  }

  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }

  private get free(): number {
    return Math.max(0, this.options.capacity());
  }

  private every(ms: number, what: () => Promise<void>): void {
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
  }

  /** New entries, as many at a time as can be begun. */
  private async read(): Promise<void> {
    const { stream, group, consumer } = this.options;
    while (!this.isClosing()) {
      try {
        await this.untilRoom();
        if (this.reclaimDue || this.reclaiming !== undefined) await this.reclaim();
        if (this.isClosing()) return;
        if (this.free === 0) continue;
        const reply = (await this.reader.xreadgroup(
          ...(['GROUP', group, consumer, 'COUNT', this.free] as const),
          ...(['BLOCK', BLOCK_MS, 'STREAMS', stream, '>'] as const),
        )) as readonly (readonly [string, readonly Entry[]])[] | null;
        for (const entry of reply?.[0]?.[1] ?? []) this.held.take(entry, 1);
      } catch (error) {
        if (this.isClosing()) return;
        if (isNoGroup(error)) await this.makeGroup();
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
        const timer = setTimeout(resolve, BLOCK_MS);
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

  private async beat(): Promise<void> {
    const { stream, group } = this.options;
    await this.held.keep();
    if (performance.now() - this.trimmedAt < TRIM_INTERVAL_MS || this.isClosing()) return;
    this.trimmedAt = performance.now();
    await this.client.eval(TRIM, 1, stream);
    await this.client.eval(FORGET_CONSUMERS, 1, stream, group, CONSUMER_IDLE_MS);
  }

  /** Takes over entries of consumers that are silent: two signs of life may be lost, but not three. */
  private reclaim(): Promise<void> {
    this.reclaiming ??= this.takeOver().finally(() => {
      this.reclaiming = undefined;
    });
    return this.reclaiming;
  }

  private async takeOver(): Promise<void> {
    const { stream, group, consumer, heartbeatMs } = this.options;
    const silence = Math.ceil(heartbeatMs * SILENCE);
    if (this.isClosing()) return;
    // While the server was away nobody could say that they live; they do so now.
    this.reclaimDue = performance.now() - this.backAt < heartbeatMs / 2;
    if (this.reclaimDue) return;
    try {
      if (this.free === 0) {
        const idle = ['IDLE', silence, '-', '+', 1] as const;
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
          ...([stream, group, consumer, silence, cursor, 'COUNT', free] as const),
        )) as [string, Entry[]];
        for (const entry of entries) {
          const [pending] = (await this.client.xpending(
            ...([stream, group, entry[0], entry[0], 1, consumer] as const),
          )) as [string, string, number, number][];
          if (pending === undefined) continue;
          this.takenOver++;
          this.held.take(entry, pending[3]);
        }
        cursor = next;
      } while (cursor !== '0-0' && !this.isClosing());
    } catch (error) {
      if (!isNoGroup(error)) throw error;
    }
  }

  private report(error: unknown): void {
    if (this.isClosing()) return;
    const fault = safeLine(error instanceof Error ? error.message : String(error), MAX_REASON);
    this.options.log.warn({ stream: this.options.stream, fault }, 'redis could not do what was asked');
  }
}

/** Nobody has added to the stream yet. */
function isNoGroup(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOGROUP');
}
