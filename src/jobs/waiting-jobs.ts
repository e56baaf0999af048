/**
 * Jobs that wait, in the order in which they should begin: by priority; then those that were given a place of their own as it
 * says; and all others in turns, so that a client with a thousand jobs doesn't keep one with a single job waiting.
 */
import { clientKey, type ClientRules } from './client-rules.js';
import type { QueuedJob } from './job.js';

/** Clients whose last turns are remembered. */
const MAX_TURNS = 10_000;

export class WaitingJobs {
  /** By priority, then place. */
  private readonly sorted: QueuedJob[] = [];
  /** The same by client, but for those with places of their own. */
  private readonly byClient = new Map<string, QueuedJob[]>();
  /** When each client's last job began: the lower, the longer ago. The oldest comes first. */
  private readonly turns = new Map<string, number>();
  private turn = 0;

  get length(): number {
    return this.sorted.length;
  }

  insert(job: QueuedJob): void {
    insertSorted(this.sorted, job);
    if (hasOwnPlace(job)) return;
    const key = clientKey(job.client);
    const own = this.byClient.get(key);
    if (own === undefined) this.byClient.set(key, [job]);
    else insertSorted(own, job);
  }

  /** Takes a job out; `begins` says that it is its client's turn. */
  remove(job: QueuedJob, begins: boolean): void {
    removeFrom(this.sorted, job);
    const key = clientKey(job.client);
    const own = this.byClient.get(key);
    if (own !== undefined) {
      removeFrom(own, job);
      if (own.length === 0) this.byClient.delete(key);
    }
    if (!begins) return;
    this.turns.delete(key);
    this.turns.set(key, ++this.turn);
    const [oldest] = this.turns.keys();
    if (this.turns.size > MAX_TURNS && oldest !== undefined) this.turns.delete(oldest);
  }

  find(id: string): QueuedJob | undefined {
    return this.sorted.find((job) => job.id === id);
  }

  /**
   * The jobs in the order in which they should begin, as long as nothing changes. `running` says how many each client has; where
   * a limit is given, those of a client that has reached it are left out.
   */
  *inOrder(
    { order, concurrency = Infinity }: Pick<ClientRules, 'order' | 'concurrency'>,
    running: ReadonlyMap<string, number>,
  ): Generator<QueuedJob, void> {
    const counts = new Map(running);
    const turns = new Map<string, number>();
    const cursors = new Map<string, number>();
    const picked = new Set<QueuedJob>();
    const isFull = (key: string) => (counts.get(key) ?? 0) >= concurrency;
    for (let front = 0; ;) {
      const head = this.sorted[front];
      if (head === undefined) return;
      if (picked.has(head) || isFull(clientKey(head.client))) {
        front++;
        continue;
      }
      const next =
        order === 'arrival' || hasOwnPlace(head)
          ? head
          : this.byTurn(head, (key) => !isFull(key), { counts, turns, cursors });
      const key = clientKey(next.client);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      turns.set(key, this.turn + picked.size + 1);
      if (!hasOwnPlace(next)) cursors.set(key, (cursors.get(key) ?? 0) + 1);
      picked.add(next);
      yield next;
    }
  }

  /** Of the clients with a job of this priority: who has fewest running, then whose last turn is longest ago, then who came first. */
  private byTurn(
    head: QueuedJob,
    may: (key: string) => boolean,
    plan: Readonly<Record<'counts' | 'turns' | 'cursors', ReadonlyMap<string, number>>>,
  ): QueuedJob {
    let best = head;
    let bestRank = this.rank(clientKey(head.client), plan);
    for (const [key, own] of this.byClient) {
      const candidate = own[plan.cursors.get(key) ?? 0];
      if (candidate?.priority !== head.priority || candidate === best || !may(key)) continue;
      const rank = this.rank(key, plan);
      if (rank.count > bestRank.count || (rank.count === bestRank.count && rank.turn > bestRank.turn))
        continue;
      const isTied = rank.count === bestRank.count && rank.turn === bestRank.turn;
      if (isTied && !isBefore(candidate, best)) continue;
      best = candidate;
      bestRank = rank;
    }
    return best;
  }

  private rank(
    key: string,
    { counts, turns }: Readonly<Record<'counts' | 'turns', ReadonlyMap<string, number>>>,
  ): { readonly count: number; readonly turn: number } {
    return { count: counts.get(key) ?? 0, turn: turns.get(key) ?? this.turns.get(key) ?? 0 };
  }
}

function hasOwnPlace({ place, sequence }: QueuedJob): boolean {
  return place !== sequence - 1;
}

function isBefore(a: QueuedJob, b: QueuedJob): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  return a.place === b.place ? a.sequence < b.sequence : a.place < b.place;
}

/** Found from the end: most jobs come last. */
function insertSorted(jobs: QueuedJob[], job: QueuedJob): void {
  jobs.splice(jobs.findLastIndex((each) => isBefore(each, job)) + 1, 0, job);
}

function removeFrom(jobs: QueuedJob[], job: QueuedJob): void {
  const index = jobs.indexOf(job);
  if (index !== -1) jobs.splice(index, 1);
}
