import { describe, expect, it } from 'vitest';
import type { Backend, Program } from '../../src/compute/backend.js';
import { CudaUnavailable, cudaProblem } from '../../src/native/find-cuda.js';
import { UnsupportedOperation } from '../../src/compute/unsupported.js';
import { GraphBuilder } from '../../src/compute/graph.js';
import { withFallback } from '../../src/compute/with-fallback.js';
import { chooseBackend } from '../../src/engine/choose-backend.js';

describe('the device', () => {
  const refuse = (message: string): never => {
    throw new Error(message);
  };

  it('is the CPU when it is asked for', () => {
    expect(chooseBackend('cpu', {}, refuse).device).toBe('cpu');
  });

  it('is a card where there is one, and otherwise the CPU', () => {
    const notices: string[] = [];
    const { device } = chooseBackend('auto', {}, (message) => notices.push(message));
    expect(device).toBe(cudaProblem() === undefined ? 'cuda' : 'cpu');
  });

  it('is no other than the card that was asked for', () => {
    const choose = () => chooseBackend('cuda', {}, refuse).device;
    if (cudaProblem() === undefined) expect(choose()).toBe('cuda');
    else expect(choose).toThrow(CudaUnavailable);
  });
});

describe('a graph that the first backend has no kernels for', () => {
  const graph = new GraphBuilder('odd').build();
  const program: Program = {
    residentBytes: 0,
    run: () => Promise.resolve({}),
    dispose: () => Promise.resolve(),
  };
  const second: Backend = { device: 'cpu', load: () => Promise.resolve(program) };

  it('is loaded on the second, and that is said once', async () => {
    const notices: string[] = [];
    const first: Backend = {
      device: 'cuda',
      load: () => Promise.reject(new UnsupportedOperation('no mean_map')),
    };
    const both = withFallback(first, second, (message) => notices.push(message));
    expect(await both.load(graph)).toBe(program);
    expect(await both.load(graph)).toBe(program);
    expect(notices).toEqual(['odd runs on the cpu: no mean_map']);
  });

  it('is told from one that fails', async () => {
    const first: Backend = { device: 'cuda', load: () => Promise.reject(new Error('out of memory')) };
    await expect(withFallback(first, second, () => undefined).load(graph)).rejects.toThrow('out of memory');
  });
});
