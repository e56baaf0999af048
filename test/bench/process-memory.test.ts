import { expect, it } from 'vitest';
import { processMemory } from '../../src/bench/process-memory.js';

it('reads the kernel’s figures in bytes', () => {
  const status =
    'Name:\tnode\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\nRssAnon:\t 512 kB\nRssFile:\t  256 kB\n';
  expect(processMemory(status)).toEqual({
    peak: 2_097_152,
    resident: 1_048_576,
    own: 524_288,
    mapped: 262_144,
  });
});

it('reads this process’s', () => {
  const { peak, resident, own } = processMemory();
  expect(peak).toBeGreaterThanOrEqual(resident);
  expect(resident).toBeGreaterThan(own);
});

it('says what is missing', () => {
  expect(() => processMemory('VmHWM:\t1 kB\n')).toThrow('/proc/self/status has no VmRSS');
});
