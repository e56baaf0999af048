import { describe, expect, it } from 'vitest';
import type { Backend, Program } from '../../../src/compute/backend.js';
import { GraphBuilder, type Graph } from '../../../src/compute/graph.js';
import { elementCount } from '../../../src/compute/tensor.js';
import type { Weight } from '../../../src/compute/weight.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';

const mebibyte = 2 ** 20;

function matrix(name: string, bytes: number): Weight {
  const shape = [bytes / 4 / 256, 256];
  return { name, shape, read: (into) => into.fill(0) };
}

function graphOf(name: string, bytes: number): Graph {
  const graph = new GraphBuilder(name);
  const weight = matrix(`${name}.weight`, bytes);
  graph.output('y', graph.linear(graph.input('x', [1, 256]), weight));
  return graph.build();
}

/** A backend that holds weights and computes nothing: only what is loaded when matters here. */
class CountingBackend implements Backend {
  readonly device = 'counting';
  readonly log: string[] = [];
  readonly loaded = new Set<string>();
  capacity = Infinity;
  failures: Error[] = [];
  runFailures: Error[] = [];

  async load(graph: Graph): Promise<Program> {
    this.log.push(`load ${graph.name}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    if (this.loaded.size >= this.capacity) throw new Error('std::bad_alloc');
    this.loaded.add(graph.name);
    const [operation] = graph.nodes.map((node) => node.operation);
    if (operation?.kind !== 'linear') throw new Error('a graph of one linear layer was expected');
    return {
      residentBytes: elementCount(operation.weight.shape) * 4,
      run: () => {
        const failure = this.runFailures.shift();
        return failure === undefined ? Promise.resolve({}) : Promise.reject(failure);
      },
      dispose: () => {
        this.log.push(`dispose ${graph.name}`);
        this.loaded.delete(graph.name);
        return Promise.resolve();
      },
    };
  }
}

const nothing = (): Promise<void> => Promise.resolve();

describe('the program cache', () => {
  it('keeps what was used last within its limit and evicts the longest unused first', async () => {
    const backend = new CountingBackend();
    const cache = createProgramCache(backend, { limitBytes: 3 * mebibyte });
    const use = (name: string, size = 1) => cache.use(name, () => graphOf(name, size * mebibyte), nothing);
    await use('a');
    await use('b');
    await use('c');
    await use('a');
    expect([...backend.loaded]).toEqual(['a', 'b', 'c']);
    await use('d', 2);
    expect(backend.log).toEqual(['load a', 'load b', 'load c', 'dispose b', 'dispose c', 'load d']);
    await use('a');
    expect(backend.log).toHaveLength(6);
  });

  it('lets go of those that are meant, those in use when they no longer are', async () => {
    const backend = new CountingBackend();
    const cache = createProgramCache(backend);
    const use = (name: string, body = nothing) => cache.use(name, () => graphOf(name, mebibyte), body);
    await use('a 1');
    await use('b 1');
    let freed = nothing();
    await use('a 2', () => {
      freed = cache.free((key) => key.startsWith('a'));
      return nothing();
    });
    await freed;
    expect([...backend.loaded]).toEqual(['b 1']);
    await use('a 1');
    expect(backend.log.filter((line) => line === 'load a 1')).toHaveLength(2);
  });

  it('loads a program larger than the limit, and alone', async () => {
    const backend = new CountingBackend();
    const cache = createProgramCache(backend, { limitBytes: mebibyte });
    await cache.use('a', () => graphOf('a', mebibyte), nothing);
    await cache.use('b', () => graphOf('b', 4 * mebibyte), nothing);
    await cache.use('b', () => graphOf('b', 4 * mebibyte), nothing);
    expect(backend.log).toEqual(['load a', 'dispose a', 'load b']);
  });

  it('never evicts what is in use, and returns to its limit afterwards', async () => {
    const backend = new CountingBackend();
    const cache = createProgramCache(backend, { limitBytes: mebibyte });
    await cache.use(
      'outer',
      () => graphOf('outer', mebibyte),
      async () => {
        await cache.use('inner', () => graphOf('inner', mebibyte), nothing);
        expect(backend.loaded.has('outer')).toBe(true);
      },
    );
    expect([...backend.loaded]).toEqual(['outer']);
  });

  it('shares one load among uses at the same time', async () => {
    const backend = new CountingBackend();
    const cache = createProgramCache(backend);
    const programs = await Promise.all(
      [1, 2, 3].map(() =>
        cache.use(
          'a',
          () => graphOf('a', mebibyte),
          (program) => Promise.resolve(program),
        ),
      ),
    );
    expect(new Set(programs).size).toBe(1);
    expect(backend.log).toEqual(['load a']);
  });

  it('counts programs that are still loading', async () => {
    const backend = new CountingBackend();
    const cache = createProgramCache(backend, { limitBytes: 2 * mebibyte });
    await cache.use('old', () => graphOf('old', mebibyte), nothing);
    await Promise.all(['a', 'b'].map((name) => cache.use(name, () => graphOf(name, mebibyte), nothing)));
    expect([...backend.loaded].sort()).toEqual(['a', 'b']);
  });

  it('does not remember a load that failed', async () => {
    const backend = new CountingBackend();
    backend.failures = [new Error('no such kernel')];
    const cache = createProgramCache(backend);
    const use = () => cache.use('a', () => graphOf('a', mebibyte), nothing);
    const both = await Promise.allSettled([use(), use()]);
    expect(both.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    await use();
    expect(backend.log).toEqual(['load a', 'load a']);
  });

  it('gives an out-of-memory load one more try without the others', async () => {
    const backend = new CountingBackend();
    backend.capacity = 2;
    const cache = createProgramCache(backend);
    const use = (name: string) => cache.use(name, () => graphOf(name, mebibyte), nothing);
    await use('a');
    await use('b');
    await use('c');
    expect(backend.log).toEqual(['load a', 'load b', 'load c', 'dispose a', 'dispose b', 'load c']);
    backend.capacity = 0;
    await expect(use('d')).rejects.toThrow('bad_alloc');
  });

  it('gives an out-of-memory run one more try without the others', async () => {
    const backend = new CountingBackend();
    const cache = createProgramCache(backend);
    await cache.use('a', () => graphOf('a', mebibyte), nothing);
    backend.runFailures.push(new Error('CUDA: out of memory while reserving memory for activations'));
    await cache.use(
      'b',
      () => graphOf('b', mebibyte),
      (program) => program.run({}),
    );
    expect(backend.log).toEqual(['load a', 'load b', 'dispose a']);
    backend.runFailures.push(new Error('a kernel failed'));
    const failing = cache.use(
      'b',
      () => graphOf('b', mebibyte),
      (program) => program.run({}),
    );
    await expect(failing).rejects.toThrow('a kernel failed');
  });

  it('disposes everything, programs in use once they are idle', async () => {
    const backend = new CountingBackend();
    const cache = createProgramCache(backend);
    await cache.use('a', () => graphOf('a', mebibyte), nothing);
    let finish: () => void = () => undefined;
    const busy = cache.use(
      'b',
      () => graphOf('b', mebibyte),
      () => new Promise<void>((resolve) => (finish = resolve)),
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
    const disposal = cache.dispose();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect([...backend.loaded]).toEqual(['b']);
    finish();
    await Promise.all([busy, disposal]);
    expect(backend.loaded.size).toBe(0);
    await expect(cache.use('a', () => graphOf('a', mebibyte), nothing)).rejects.toThrow('disposed');
  });
});

describe('an observer', () => {
  it('is told of each load once, and of every use that waited for it', async () => {
    const told: string[] = [];
    const cache = createProgramCache(new CountingBackend(), {
      observer: {
        loaded({ name, started, built, ended, bytes }) {
          told.push(`loaded ${name}, ${bytes} bytes, ${started <= built && built < ended}`);
        },
        waited({ name, started, ended }) {
          told.push(`waited for ${name}, ${started < ended}`);
        },
      },
    });
    const use = () => cache.use('a', () => graphOf('A', mebibyte), nothing);
    await Promise.all([use(), use()]);
    await use();
    expect(told).toEqual([`loaded A, ${mebibyte} bytes, true`, 'waited for A, true', 'waited for A, true']);
  });
});
