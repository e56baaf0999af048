/** How the server does that work comes from: whether it is there, and how much waits in it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { VitalMeasure, Vital } from '../vitals.js';

/** Longer than this nobody who asks waits for the server. */
const PATIENCE_MS = 1000;

/** `backlog` asks the server how much waits, in the words of the system that it is for. */
export function serverVital(
  client: Redis,
  problem: () => string | undefined,
  backlog: () => Promise<readonly VitalMeasure[]>,
): Vital {
  const isThere = () => client.status === 'ready';
  return {
    name: 'redis',
    check: () => problem() ?? (isThere() ? 'ok' : 'the server is away'),
    measure: async () => {
      const up = (value: number): VitalMeasure => ({
        name: 'redis_up',
        help: '1 where the server that work comes from is there',
        value,
      });
      if (!isThere()) return [up(0)];
      const waited = new AbortController();
      const late = delay(PATIENCE_MS, undefined, { signal: waited.signal, ref: false }).catch(
        () => undefined,
      );
      const measures = await Promise.race([backlog().catch(() => undefined), late]);
      waited.abort();
      return measures === undefined ? [up(0)] : [up(1), ...measures];
    },
  };
}

/** Of a stream and its group: what nobody has taken yet, what is taken, and what nobody came to an end with. */
export async function streamBacklog(
  client: Redis,
  {
    stream,
    group,
    deadStream,
  }: { readonly stream: string; readonly group: string; readonly deadStream: string },
): Promise<readonly VitalMeasure[]> {
  const [groups, dead, [seconds]] = await Promise.all([
    client.xinfo('GROUPS', stream).catch(() => []) as Promise<readonly (readonly unknown[])[]>,
    client.xlen(deadStream),
    client.time(),
  ]);
  const ours = groups.map(fieldsOf).find(({ name }) => name === group) ?? {};
  const pending = Number(ours['pending'] ?? 0);
  const lag = ours['lag'];
  const measures: VitalMeasure[] = [
    { name: 'redis_pending', help: 'Entries that workers have and are not done with', value: pending },
    { name: 'redis_dead_letters', help: 'Entries that nobody came to an end with', value: dead },
  ];
  // Redis 7 says it, but for a while after entries between were deleted.
  if (typeof lag === 'number')
    measures.push({ name: 'redis_lag', help: 'Entries that no worker has taken yet', value: lag });
  const oldest = pending === 0 ? undefined : (await client.xpending(stream, group))[1];
  const age = typeof oldest === 'string' ? Number(seconds) - Number(oldest.split('-')[0]) / 1000 : 0;
  measures.push({
    name: 'redis_oldest_pending_seconds',
    help: 'Age of the oldest entry that a worker has',
    value: Math.max(0, age),
  });
  return measures;
}

/** Names and values in turn, as Redis lists them. */
function fieldsOf(list: readonly unknown[]): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (let index = 0; index + 1 < list.length; index += 2) fields[String(list[index])] = list[index + 1];
  return fields;
}
