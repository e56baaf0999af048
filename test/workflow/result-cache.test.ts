import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/compute/tensor.js';
import { ResultCache } from '../../src/workflow/result-cache.js';

const result = (...outputs: unknown[]) => ({ outputs: outputs.map((value) => [value]), ui: undefined });
/** Values of 4 bytes. */
const floats = (count: number) => tensor([count]);

describe('ResultCache', () => {
  it('counts the arrays in lists and objects, each once however often it is shared', () => {
    const cache = new ResultCache(1000);
    const shared = floats(10);
    cache.set(
      'a',
      result({ samples: shared, noiseMask: floats(5) }, [[{ cond: floats(1) }]], 'text', 7, null),
    );
    expect(cache.bytes).toBe(64);
    cache.set('b', result(shared, shared));
    expect(cache.bytes).toBe(64);
    cache.retain(new Set(['b']));
    expect(cache.bytes).toBe(40);
    cache.clear();
    expect([cache.bytes, cache.size]).toEqual([0, 0]);
  });

  it('does not look into models', () => {
    class Model {
      readonly table = floats(1_000_000);
    }
    const cache = new ResultCache(100);
    cache.set('a', result(new Model()));
    expect([cache.size, cache.bytes]).toEqual([1, 0]);
  });

  it('drops the longest unused first, and never the newest', () => {
    const cache = new ResultCache(120);
    for (const key of ['a', 'b', 'c']) cache.set(key, result(floats(10)));
    cache.get('a');
    cache.set('d', result(floats(10)));
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.has(key))).toEqual(['a', 'c', 'd']);
    cache.set('e', result(floats(30)));
    expect(['a', 'c', 'd', 'e'].filter((key) => cache.has(key))).toEqual(['e']);
  });

  it('does not keep what is larger than its bound, nor drop others for it', () => {
    const cache = new ResultCache(100);
    cache.set('a', result(floats(10)));
    cache.set('b', result(floats(26)));
    expect([cache.has('a'), cache.has('b'), cache.bytes]).toEqual([true, false, 40]);
  });

  it('replaces a result of the same signature', () => {
    const cache = new ResultCache(100);
    cache.set('a', result(floats(20)));
    cache.set('a', result(floats(5)));
    expect(cache.bytes).toBe(20);
  });

  it('survives values that contain themselves', () => {
    const loop: unknown[] = [floats(1)];
    loop.push(loop);
    const cache = new ResultCache(100);
    cache.set('a', result(loop));
    expect(cache.bytes).toBe(4);
  });
});
