import type { Backend, Program } from '../../compute/backend.js';
import type { Graph } from '../../compute/graph.js';
import { weightsOf } from '../../compute/operation.js';
import { heldBytes, type Weight } from '../../compute/weight.js';
import { availableMemory } from './available-memory.js';

/** Loaded programs by least recent use, within a memory limit. */
export interface ProgramCache {
  /**
   * Runs `body` with the program for `key`. The graph is built and loaded when it isn't there, after others were evicted to
   * make room; a program in use is never evicted. A load or run that memory doesn't suffice for is tried again without the
   * others. Uses of one key at the same time share one load; a load that fails is
   * not remembered.
   */
  use<Result>(key: string, build: () => Graph, body: (program: Program) => Promise<Result>): Promise<Result>;
  /**
   * Bytes that a run may take beside weights, as far as that can be told beforehand: what the system has free. Infinite where
   * graphs run on a device with memory of its own, whose allocations fail in good time.
   */
  runBytes(): number;
  /** Disposes programs whose keys are meant, those in use as soon as they are no longer. */
  free(isMeant: (key: string) => boolean): Promise<void>;
  /** Disposes every program, those in use as soon as they are no longer. Later uses are refused. */
  dispose(): Promise<void>;
}

export interface ProgramCacheOptions {
  /**
   * Bytes of weights to hold. A single program larger than that still loads. Left out, whatever the system has free when
   * a program is loaded, but for a fifth that activations need.
   */
  readonly limitBytes?: number;
  readonly observer?: ProgramObserver | undefined;
}

/** Watches a cache at work, to see where time goes. Times are `performance.now()`'s; its methods must not throw. */
export interface ProgramObserver {
  loaded?(load: ProgramLoad): void;
  /** A use had to wait from `started` to `ended` for its program, because that was still loading. */
  waited?(wait: { readonly name: string; readonly started: number; readonly ended: number }): void;
}

/** A program that was loaded. */
export interface ProgramLoad {
  /** The graph's: `unet`, `vae decoder`, `clip_l`. */
  readonly name: string;
  readonly started: number;
  /** When the graph was there, to be loaded. */
  readonly built: number;
  readonly ended: number;
  /** Held for weights. */
  readonly bytes: number;
}

const shareForWeights = 0.8;

/** A program that is loading or loaded. */
class Entry {
  /** An estimate until the program is loaded. */
  bytes: number;
  users = 0;
  program: Program | undefined;
  private whenIdle: (() => void) | undefined;

  constructor(
    readonly key: string,
    readonly name: string,
    readonly ready: Promise<Program>,
    estimatedBytes: number,
  ) {
    this.bytes = estimatedBytes;
  }

  leave(): void {
    this.users--;
    if (this.users === 0) this.whenIdle?.();
  }

  async idle(): Promise<void> {
    if (this.users > 0) await new Promise<void>((resolve) => (this.whenIdle = resolve));
  }
}

/** A cache of `backend`'s programs. */
export function createProgramCache(backend: Backend, options: ProgramCacheOptions = {}): ProgramCache {
  /** In order of use, the longest unused first. */
  const entries = new Map<string, Entry>();
  const { observer } = options;
  let disposed = false;

  /** Whether less must be held, with what is about to be loaded. */
  function overLimit(): boolean {
    let held = 0;
    let loading = 0;
    for (const entry of entries.values()) {
      if (entry.program === undefined) loading += entry.bytes;
      held += entry.bytes;
    }
    return options.limitBytes === undefined
      ? loading > (backend.availableBytes?.() ?? availableMemory()) * shareForWeights
      : held > options.limitBytes;
  }

  async function evict(entry: Entry): Promise<void> {
    entries.delete(entry.key);
    await entry.program?.dispose();
  }

  async function evictAll(isMeant: (key: string) => boolean): Promise<void> {
    await Promise.all(
      [...entries.values()].map(async (entry) => {
        if (!isMeant(entry.key)) return;
        await entry.idle();
        await evict(entry);
      }),
    );
  }

  /** Evicts idle programs but the one for `keep`, the longest unused first, as long as `needed` says so. */
  async function makeRoom(keep: string, needed: () => boolean): Promise<void> {
    for (const entry of [...entries.values()]) {
      if (!needed()) return;
      if (entry.key !== keep && entry.users === 0 && entries.get(entry.key) === entry) await evict(entry);
    }
  }

  /** Tries again without the idle programs when memory doesn't suffice. */
  async function withRoom<Result>(key: string, body: () => Promise<Result>): Promise<Result> {
    try {
      return await body();
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      await makeRoom(key, () => true);
      return await body();
    }
  }

  function runningWithRoom(key: string, program: Program): Program {
    return {
      get residentBytes() {
        return program.residentBytes;
      },
      get onDevice(): Program['onDevice'] {
        const { onDevice } = program;
        return onDevice && ((inputs, loop) => withRoom(key, () => onDevice(inputs, loop)));
      },
      run: (inputs) => withRoom(key, () => program.run(inputs)),
      dispose: () => program.dispose(),
    };
  }

  async function load(key: string, graph: Graph): Promise<Program> {
    await makeRoom(key, overLimit);
    return runningWithRoom(key, await withRoom(key, () => backend.load(graph)));
  }

  function open(key: string, build: () => Graph): Entry {
    const started = performance.now();
    const graph = build();
    const built = performance.now();
    // The load starts once its entry is listed, so that making room counts it.
    const ready = Promise.resolve().then(() => load(key, graph));
    const entry = new Entry(key, graph.name, ready, weightBytes(graph));
    entries.set(key, entry);
    ready.then(
      (program) => {
        entry.program = program;
        entry.bytes = program.residentBytes;
        const { name, bytes } = entry;
        observer?.loaded?.({ name, started, built, ended: performance.now(), bytes });
      },
      () => entries.delete(key),
    );
    return entry;
  }

  return {
    async use(key, build, body) {
      if (disposed) throw new Error(`the program cache is disposed, ${key} can't be used`);
      const started = performance.now();
      const entry = entries.get(key) ?? open(key, build);
      entries.delete(key);
      entries.set(key, entry);
      entry.users++;
      try {
        const loading = entry.program === undefined;
        const program = await entry.ready;
        if (loading) observer?.waited?.({ name: entry.name, started, ended: performance.now() });
        return await body(program);
      } finally {
        entry.leave();
        // While it was in use others may have been loaded beyond the limit.
        if (options.limitBytes !== undefined) await makeRoom(key, overLimit);
      }
    },

    runBytes: () => (backend.availableBytes?.() === undefined ? availableMemory() : Infinity),

    free: evictAll,

    async dispose() {
      disposed = true;
      await evictAll(() => true);
    },
  };
}

/** What a graph's weights take in memory, each counted once. */
function weightBytes(graph: Graph): number {
  const weights = new Set<Weight>();
  for (const { operation } of graph.nodes) {
    for (const weight of weightsOf(operation)) weights.add(weight);
  }
  let bytes = 0;
  for (const weight of weights) bytes += heldBytes(weight);
  return bytes;
}

/** What V8, ONNX Runtime and CUDA say when an allocation fails; none of them gives a code of its own. */
export function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof Error &&
    /out of memory|bad_alloc|allocation failed|failed to allocate/i.test(error.message)
  );
}
