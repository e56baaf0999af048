/** Where buffers lie in the arena: two that live at the same time never overlap. */

export interface Lifetime {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

export interface MemoryPlan {
  /** Bytes from the arena's start, one for each lifetime. */
  readonly offsets: readonly number[];
  readonly bytes: number;
}

const ALIGNMENT = 256;

/** The largest first, each in the smallest gap that those which live with it leave. */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const placed: number[] = [];
  let bytes = 0;
  const order = lifetimes.map((_, index) => index);
  order.sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b);
  for (const index of order) {
    const lifetime = lifetimes[index]!;
    const size = aligned(lifetime.bytes);
    const offset = smallestGap(
      placed
        .filter((other) => overlap(lifetimes[other]!, lifetime))
        .map((other) => [offsets[other]!, offsets[other]! + aligned(lifetimes[other]!.bytes)] as const),
      size,
    );
    offsets[index] = offset;
    placed.push(index);
    bytes = Math.max(bytes, offset + size);
  }
  return { offsets, bytes };
}

/** The most that lives at any time: no plan needs less. */
export function lowerBound(lifetimes: readonly Lifetime[]): number {
  const changes = new Map<number, number>();
  const change = (time: number, bytes: number): void => {
    changes.set(time, (changes.get(time) ?? 0) + bytes);
  };
  for (const { bytes, from, to } of lifetimes) {
    change(from, aligned(bytes));
    change(to + 1, -aligned(bytes));
  }
  let live = 0;
  let most = 0;
  for (const time of [...changes.keys()].sort((a, b) => a - b)) {
    live += changes.get(time)!;
    most = Math.max(most, live);
  }
  return most;
}

function smallestGap(taken: readonly (readonly [number, number])[], size: number): number {
  let best: { readonly offset: number; readonly gap: number } | undefined;
  let end = 0;
  for (const [from, to] of [...taken].sort((a, b) => a[0] - b[0])) {
    const gap = from - end;
    if (gap >= size && (best === undefined || gap < best.gap)) best = { offset: end, gap };
    end = Math.max(end, to);
  }
  return best?.offset ?? end;
}

function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.from <= b.to && b.from <= a.to;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
