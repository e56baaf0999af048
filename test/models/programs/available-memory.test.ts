import { freemem, totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { availableMemory } from '../../../src/models/programs/available-memory.js';

it('lies between nothing and what the kernel says is available', () => {
  const available = availableMemory();
  expect(available).toBeGreaterThan(0);
  expect(available).toBeLessThan(Math.min(totalmem(), freemem() * 1.1));
});
