/** Node, processor, memory and disk. */
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { availableMemory } from '../../models/programs/available-memory.js';
import { formatBytes } from '../terminal.js';
import { nearestExisting } from '../writable.js';
import { fault, ok, warning, type Check } from './check.js';

const OLDEST_NODE = [20, 19] as const;
const GIBIBYTE = 2 ** 30;

export function checkNode(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const current = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const needed = OLDEST_NODE.join('.');
  return current
    ? ok('node', version)
    : fault(
        'node',
        `${version}, but ${needed} is needed`,
        `install Node.js ${needed} or newer, then npm ci again`,
      );
}

export function checkProcessor(): Check {
  const model = cpus()[0]?.model.trim() ?? process.arch;
  const count = availableParallelism();
  return ok('processor', `${model}, ${count} ${count === 1 ? 'thread' : 'threads'}`);
}

/** A tiny model needs little; SD 1.5 in float32 about 5 GB, SDXL about 20. */
export function checkMemory(total = totalmem(), free = availableMemory()): Check {
  const detail = `${formatBytes(total)}, ${formatBytes(free)} of it free`;
  return free >= 5 * GIBIBYTE
    ? ok('memory', detail)
    : warning(
        'memory',
        detail,
        'SD 1.5 takes about 5 GB and SDXL about 20: close other programs, or use a smaller model',
      );
}

/** Room for results where they will be written. */
export function checkDisk(folder: string): Check {
  const place = nearestExisting(folder);
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const detail = `${formatBytes(free)} free for ${folder}`;
  return free >= GIBIBYTE
    ? ok('disk', detail)
    : warning('disk', detail, 'free some space there, or choose another folder with --output');
}

/** Version of an installed package, without loading it. */
export function packageVersion(manifest: URL | string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
