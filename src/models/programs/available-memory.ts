import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

const controlGroups = '/sys/fs/cgroup';

/**
 * Bytes that this process may still take: the kernel's MemAvailable, or less inside a control group with a limit.
 * Pages of mapped files count as free, because the kernel drops them when memory is asked for; that is why
 * `process.availableMemory()`, which counts them as taken, won't do beside mapped checkpoints.
 */
export function availableMemory(): number {
  return Math.min(freemem(), ...groupFolders().map(availableInGroup));
}

/** The folders of this process's control group and of those around it, of either version of the interface. */
function groupFolders(): string[] {
  const folders = [controlGroups, join(controlGroups, 'memory')];
  for (const line of (readText('/proc/self/cgroup') ?? '').split('\n')) {
    const match = /^\d+:(.*?):(\/.*)$/.exec(line);
    const [, controllers = '', path = '/'] = match ?? [];
    if (match === null || (controllers !== '' && !controllers.split(',').includes('memory'))) continue;
    const root = controllers === '' ? controlGroups : join(controlGroups, 'memory');
    for (let folder = path; folder !== '/'; folder = dirname(folder)) folders.push(join(root, folder));
  }
  return folders;
}

function availableInGroup(folder: string): number {
  const limit =
    readBytes(join(folder, 'memory.max')) ?? readBytes(join(folder, 'memory.limit_in_bytes')) ?? Infinity;
  // Without a limit, version 1 says a number that no machine has.
  if (limit >= totalmem()) return Infinity;
  const used =
    readBytes(join(folder, 'memory.current')) ?? readBytes(join(folder, 'memory.usage_in_bytes')) ?? 0;
  return Math.max(0, limit - used + reclaimable(readText(join(folder, 'memory.stat')) ?? ''));
}

function reclaimable(statistics: string): number {
  let bytes = 0;
  for (const [, count] of statistics.matchAll(/^(?:in)?active_file (\d+)$/gm)) bytes += Number(count);
  return bytes;
}

function readBytes(path: string): number | undefined {
  const text = readText(path)?.trim();
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** Files that the kernel doesn't offer: an error takes ten times as long as a number. */
const absent = new Set<string>();

/** The file's text, or nothing where the kernel doesn't offer that file. */
function readText(path: string): string | undefined {
  if (absent.has(path)) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') absent.add(path);
    return undefined;
  }
}
