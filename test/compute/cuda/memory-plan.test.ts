import { describe, expect, it } from 'vitest';
import { planMemory } from '../../../src/compute/cuda/memory-plan.js';

describe('a memory plan', () => {
  it('gives a place again when its holder is done', () => {
    const plan = planMemory([
      { bytes: 1024, from: 0, to: 1 },
      { bytes: 512, from: 1, to: 2 },
      { bytes: 1024, from: 2, to: 3 },
    ]);
    expect(plan).toEqual({ offsets: [0, 1024, 0], bytes: 1536 });
  });

  it('fills the smallest gap that is large enough', () => {
    const plan = planMemory([
      { bytes: 2048, from: 0, to: 9 },
      { bytes: 1792, from: 0, to: 4 },
      { bytes: 1536, from: 0, to: 9 },
      { bytes: 256, from: 5, to: 9 },
    ]);
    expect(plan.offsets).toEqual([0, 2048, 3840, 2048]);
  });
});
