/**
 * What is still to run, and what comes next (ComfyUI comfy_execution/graph.py, TopologicalSort and ExecutionList): a graph that
 * is dissolved as its nodes finish, and that grows while it is, by lazy inputs and by nodes that expand.
 */
export interface ListedGraph {
  /** The links that a node's inputs have, in their order; a lazy one waits until its node asks for it. */
  linksOf(id: string): readonly { readonly from: string; readonly lazy: boolean }[];
  /** Whether a node's result is there, so that it needn't run. */
  isKnown(id: string): boolean;
  isOutput(id: string): boolean;
}

/** How soon a node is picked: outputs, what an output waits for, what waits for that, all others. */
type Rank = 0 | 1 | 2 | 3;

interface Pending {
  readonly id: string;
  /** Of those of one rank, the first that was added comes first. */
  readonly sequence: number;
  rank: Rank;
  /** Nodes that it waits for, and that wait for it. */
  readonly waitsFor: Set<Pending>;
  readonly blocks: Set<Pending>;
  done: boolean;
}

export class ExecutionList {
  private readonly pending = new Map<string, Pending>();
  private readonly ready = new ReadyQueue();
  private sequence = 0;

  /** `added` and `linked` are told of each node and of each link, those of known results too. */
  constructor(
    private readonly graph: ListedGraph,
    private readonly added: (id: string) => void,
    private readonly linked: (from: string, to: string) => void,
  ) {}

  get isEmpty(): boolean {
    return this.pending.size === 0;
  }

  /** Adds a node and all that it needs, but for what lies behind lazy inputs. */
  add(root: string): void {
    const waiting = [root];
    const links: (readonly [from: string, to: string])[] = [];
    const fresh: Pending[] = [];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (this.pending.has(id)) continue;
      const node: Pending = {
        id,
        sequence: this.sequence++,
        rank: this.graph.isOutput(id) ? 0 : 3,
        done: false,
        waitsFor: new Set(),
        blocks: new Set(),
      };
      this.pending.set(id, node);
      fresh.push(node);
      this.added(id);
      for (const { from, lazy } of this.graph.linksOf(id)) {
        if (lazy) continue;
        if (!this.graph.isKnown(from)) waiting.push(from);
        links.push([from, id]);
      }
    }
    for (const [from, to] of links) this.link(from, to);
    for (const node of fresh) this.ready.offer(node);
  }

  /** Makes `to`, which is listed, wait for `from`, which is added unless its result is known. */
  link(from: string, to: string): void {
    if (!this.graph.isKnown(from)) {
      this.add(from);
      const source = this.pending.get(from)!;
      const target = this.pending.get(to)!;
      source.blocks.add(target);
      target.waitsFor.add(source);
      this.raise(source, Math.min(source.rank, target.rank + 1) as Rank);
    }
    this.linked(from, to);
  }

  /** The node to run next; undefined when none is ready: there is none left, or they wait for one another. */
  next(): string | undefined {
    return this.ready.first()?.id;
  }

  /** A node that was next has been put off, and may be ready again. */
  postpone(id: string): void {
    this.ready.offer(this.pending.get(id)!);
  }

  /** A node is done. */
  finish(id: string): void {
    const node = this.pending.get(id)!;
    this.pending.delete(id);
    node.done = true;
    for (const blocked of node.blocks) {
      blocked.waitsFor.delete(node);
      this.ready.offer(blocked);
    }
  }

  /** The nodes that wait for one another, when none is ready. */
  cycle(): readonly string[] {
    const left = new Map([...this.pending.values()].map((node) => [node, node.waitsFor.size]));
    const free = [...left.keys()].filter(({ waitsFor }) => waitsFor.size === 0);
    for (let node = free.pop(); node !== undefined; node = free.pop()) {
      left.delete(node);
      for (const blocked of node.blocks) {
        const count = left.get(blocked)! - 1;
        left.set(blocked, count);
        if (count === 0) free.push(blocked);
      }
    }
    return [...left.keys()].map(({ id }) => id);
  }

  /** A node, and what it waits for, come sooner because of a new link. */
  private raise(node: Pending, rank: Rank): void {
    if (rank >= node.rank) return;
    node.rank = rank;
    this.ready.offer(node);
    for (const source of node.waitsFor) this.raise(source, Math.min(source.rank, rank + 1) as Rank);
  }
}

interface Entry {
  readonly node: Pending;
  /** When it was offered; it may have risen since. */
  readonly rank: Rank;
}

/** Nodes that are ready, by rank and age; a heap, with entries that are no longer true skipped when they come up. */
class ReadyQueue {
  private readonly heap: Entry[] = [];

  offer(node: Pending): void {
    if (node.waitsFor.size > 0) return;
    const { heap } = this;
    const entry = { node, rank: node.rank };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!sooner(entry, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  /** Takes the soonest out. */
  first(): Pending | undefined {
    for (let top = this.take(); top !== undefined; top = this.take()) {
      const { node, rank } = top;
      if (!node.done && rank === node.rank && node.waitsFor.size === 0) return node;
    }
    return undefined;
  }

  private take() {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || last === top) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && sooner(heap[below + 1]!, heap[below]!)) below++;
      if (!sooner(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return top;
  }
}

function sooner(one: Entry, other: Entry): boolean {
  return one.rank !== other.rank ? one.rank < other.rank : one.node.sequence < other.node.sequence;
}
