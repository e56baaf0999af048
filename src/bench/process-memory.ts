import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What a process takes of main memory, in bytes. */
export const processMemorySchema = z.object({
  /** The most that was ever resident (VmHWM). */
  peak: z.number(),
  /** Resident now (VmRSS): its own memory and pages of mapped files. */
  resident: z.number(),
  /** Of that, its own: heaps, stacks, weights that were widened (RssAnon). */
  own: z.number(),
  /** Of that, pages of files, which the kernel may drop and read again: a mapped checkpoint's weights, libraries (RssFile). */
  mapped: z.number(),
});
export type ProcessMemory = Readonly<z.infer<typeof processMemorySchema>>;

/** This process's, from `status` as /proc/self/status has it. Throws when that isn't Linux's. */
export function processMemory(status = readFileSync('/proc/self/status', 'utf8')): ProcessMemory {
  const bytes = (field: string): number => {
    const kilobytes = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1];
    if (kilobytes === undefined) throw new Error(`/proc/self/status has no ${field}`);
    return Number(kilobytes) * 1024;
  };
  return {
    peak: bytes('VmHWM'),
    resident: bytes('VmRSS'),
    own: bytes('RssAnon'),
    mapped: bytes('RssFile'),
  };
}
