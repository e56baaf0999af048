import { readFile } from 'node:fs/promises';

/** File descriptors that the daemon needs for itself: about forty at rest, and what starting an engine and reading files takes. */
const RESERVED_DESCRIPTORS = 112;

/** Even where hardly any descriptors are allowed, a few clients can come. */
const LEAST_CONNECTIONS = 8;

/** Where nothing is known of a limit: what most systems allow. */
const USUAL_DESCRIPTORS = 1024;

/** How many connections this process's limit of open files has room for. */
export async function connectionsThatFit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  return connectionsWithin(limits);
}

/** The same of the text of `/proc/self/limits`. */
export function connectionsWithin(limits: string): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  const descriptors = soft === 'unlimited' ? Infinity : Number(soft ?? USUAL_DESCRIPTORS);
  return Math.max(LEAST_CONNECTIONS, descriptors - RESERVED_DESCRIPTORS);
}
