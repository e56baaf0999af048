/**
 * Entries of a stream that this consumer has: each is worked on, kept by heartbeats meanwhile, and ends. Whatever is written for one
 * is fenced by the number of its deliveries; one that was delivered too often goes to a stream of dead letters.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { FENCED, HEARTBEAT } from './scripts.js';

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

/** As Redis lists it: an id, and fields and values in turn; a deleted entry has none. */
export type Entry = readonly [id: string, fields: readonly string[] | null];

export interface EntryOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  readonly maxDeliveries: number;
  readonly handle: (claim: Claim) => Promise<Ending>;
  /** What is to be said of an entry that was delivered too often. */
  readonly onDead: (fields: Readonly<Record<string, string>>, reason: string) => readonly Command[];
  readonly log: Logger;
}

/** An idle time with which a handed back entry is anybody's. */
const HANDED_BACK_MS = 86_400_000;

interface Held {
  readonly deliveries: number;
  readonly cancellation: AbortController;
}

export class HeldEntries {
  private readonly held = new Map<string, Held>();
  private readonly work = new Set<Promise<void>>();
  private isClosing = false;

  /** `onEnd` is told after each; `report` of what went wrong. */
  constructor(
    private readonly client: Redis,
    private readonly options: EntryOptions,
    private readonly onEnd: () => void,
    private readonly report: (error: unknown) => void,
  ) {}

  get size(): number {
    return this.held.size;
  }

  /** Begins to work on it. */
  take([id, fields]: Entry, deliveries: number): void {
    if (fields === null || this.held.has(id)) return;
    const cancellation = new AbortController();
    if (this.isClosing) cancellation.abort();
    this.held.set(id, { deliveries, cancellation });
    const work = this.workOn(id, record(fields), deliveries, cancellation.signal)
      .catch((error: unknown) => {
        // It stays pending, and somebody takes it over.
        this.report(error);
      })
      .finally(() => {
        this.held.delete(id);
        this.work.delete(work);
        this.onEnd();
      });
    this.work.add(work);
  }

  /** Says of each that it is worked on; what is somebody else's by now is given up. */
  async keep(): Promise<void> {
    const { stream, group, consumer } = this.options;
    const entries = [...this.held].flatMap(([id, { deliveries }]) => [id, String(deliveries)]);
    if (entries.length === 0) return;
    const lost = (await this.client.eval(HEARTBEAT, 1, stream, group, consumer, ...entries)) as string[];
    for (const id of lost) this.held.get(id)?.cancellation.abort();
  }

  /** Whoever works on one is told to stop, also on what is taken from now on. */
  cancel(): void {
    this.isClosing = true;
    for (const { cancellation } of this.held.values()) cancellation.abort();
  }

  /** Resolves when none is worked on. */
  async settled(): Promise<void> {
    await Promise.all(this.work);
  }

  private async workOn(
    id: string,
    fields: Readonly<Record<string, string>>,
    deliveries: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { group, stream, maxDeliveries, handle, log } = this.options;
    const write = (commands: readonly Command[], acknowledge: boolean) =>
      this.write(id, deliveries, commands, acknowledge);
    const ending: Ending =
      deliveries > maxDeliveries
        ? this.tooOften(fields, deliveries)
        : await handle({ id, fields, deliveries, signal, write: (commands) => write(commands, false) });
    if (ending.kind === 'done') await write(ending.commands, true);
    else if (ending.kind === 'handed back') {
      const handBack = ['XCLAIM', stream, group, 'handed-back', '0', id, 'IDLE', String(HANDED_BACK_MS)];
      await write([[...handBack, 'JUSTID']], false);
    } else {
      const { reason } = ending;
      const letter = Object.entries({ ...fields, entry: id, deliveries: String(deliveries), reason });
      log.error({ entry: id, deliveries, reason }, 'an entry goes to the dead letters');
      await write([...ending.commands, ['XADD', deadStream(stream), '*', ...letter.flat()]], true);
    }
  }

  private async write(
    id: string,
    deliveries: number,
    commands: readonly Command[],
    acknowledge: boolean,
  ): Promise<boolean> {
    const { stream, group, consumer, log } = this.options;
    const fence = [stream, group, consumer, id, String(deliveries), acknowledge ? '1' : '0'];
    const held = await this.client.eval(FENCED, 1, ...fence, JSON.stringify(commands));
    if (held === 1) return true;
    log.warn(
      { entry: id, deliveries },
      "an entry is no longer this consumer's; what was done for it is dropped",
    );
    return false;
  }

  private tooOften(fields: Readonly<Record<string, string>>, deliveries: number): Ending {
    const reason = `delivered ${deliveries - 1} times, and no consumer came to an end with it`;
    return { kind: 'dead', reason, commands: this.options.onDead(fields, reason) };
  }
}

/** Where entries go that nobody comes to an end with. */
export function deadStream(stream: string): string {
  return `${stream}:dead`;
}

function record(list: readonly string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (let index = 0; index + 1 < list.length; index += 2) entries.push([list[index]!, list[index + 1]!]);
  return Object.fromEntries(entries);
}
