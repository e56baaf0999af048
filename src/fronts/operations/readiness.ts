/** Whether the daemon can do what it is there for. */
import { access, constants, statfs } from 'node:fs/promises';
import type { Settings } from '../../config/settings.js';
import type { Jobs } from '../../jobs/jobs.js';
import { safeLine } from '../../safe-text.js';
import type { FrontOptions } from '../front.js';
import type { WarmUp } from '../warm-up.js';

/** A queue that can't be written, or a picture that can't be saved, is of no use: so much must be free. */
const LEAST_FREE_BYTES = 64 * 2 ** 20;

const MAX_CAUSE = 500;

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or what is wrong. */
  readonly checks: Readonly<Record<'engine' | 'models' | 'data' | 'output' | 'queue', string>> &
    /** `warm`, where models are to be loaded first; what a front stands on, by its name. */
    Readonly<Record<string, string>>;
  /** Devices that keep failing and get no jobs for a while; others do the work. */
  readonly set_aside?: readonly {
    readonly engine: number;
    readonly device: string;
    readonly cause: string;
  }[];
}

export async function readiness(
  jobs: Jobs,
  { models, data, output, warm }: Settings,
  { warmUp, vitals }: Pick<FrontOptions, 'warmUp' | 'vitals'>,
): Promise<Readiness> {
  const checks = {
    engine: jobs.engineStates.some(({ state }) => state === 'ready') ? 'ok' : 'no engine is up',
    models: await readable(models),
    data: await spacious(data),
    // It is made with the first picture.
    output: (await readable(output)) === 'ok' ? await spacious(output) : 'ok',
    queue: jobs.isStopping ? 'the daemon stops' : jobs.size < jobs.capacity ? 'ok' : 'the queue is full',
    ...(warm.length > 0 && { warm: told(warmUp.lacking) }),
    ...vitals.checks(),
  };
  const setAside = jobs.engineStates.flatMap(({ state, device, error = '' }, engine) =>
    state === 'set aside' ? [{ engine, device, cause: safeLine(error, MAX_CAUSE) }] : [],
  );
  return {
    ready: Object.values(checks).every((check) => check === 'ok'),
    checks,
    ...(setAside.length > 0 && { set_aside: setAside }),
  };
}

function told(lacking: WarmUp['lacking']): string {
  if (lacking.length === 0) return 'ok';
  return safeLine(lacking.map(({ model, why }) => `${model}: ${why}`).join('; '), MAX_CAUSE);
}

async function readable(folder: string): Promise<string> {
  try {
    await access(folder, constants.R_OK | constants.X_OK);
    return 'ok';
  } catch {
    return 'the folder is not there, or can not be read';
  }
}

async function spacious(folder: string): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= LEAST_FREE_BYTES ? 'ok' : 'the disk is full';
  } catch {
    return 'the folder is not there';
  }
}
