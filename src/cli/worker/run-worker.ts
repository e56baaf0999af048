/** A worker's life: it begins with its host and ends with it. Nothing of it is kept but what it draws. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingValues } from '../../config/resolve-settings.js';
import { stdioFront } from '../../fronts/stdio/front.js';
import { checkDevice } from '../check-device.js';
import { EXIT } from '../exit-codes.js';
import { daemonConfiguration } from '../serve/daemon-options.js';
import { Daemon } from '../serve/daemon.js';
import { isQuiet, isVerbose } from '../terminal.js';
import { openLog } from '../serve/daemon-log.js';
import { ENGINE_ENTRY } from '../serve/engine-entry.js';
import { settingsFrom, type SettingOptions } from '../setting-options.js';

export interface WorkerFlags extends SettingOptions {
  readonly stdio?: true;
  readonly progress?: true;
}

/** Between two looks at whether the process that started this one is still there. */
const HOST_INTERVAL_MS = 1000;

const PREFIX = 'latentd-worker-';

/** Works until its host ends, closes standard input, or sends a signal; returns the exit code. */
export async function runWorker(options: WorkerFlags): Promise<number> {
  const { settings: resolved, warnings } = await settingsFrom(options);
  checkDevice(resolved);
  removeLeftovers();
  const data = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const settings = { ...settingValues(resolved), data };
  const { log, flush } = await openLog(isVerbose() ? 'debug' : isQuiet() ? 'warn' : settings.logLevel);
  for (const warning of warnings) log.warn(warning);
  let end: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  try {
    const configuration = await daemonConfiguration(settings, resolved.models.source === 'default');
    // Standard input may end before all is open.
    const stop = (graceSeconds: number) => {
      void starting
        .then((daemon) => daemon.stop(graceSeconds))
        .then(
          () => {
            end(EXIT.done);
          },
          () => undefined,
        );
    };
    const starting = Daemon.start({
      settings,
      engineEntry: ENGINE_ENTRY,
      configuration,
      fronts: [
        stdioFront({
          input: process.stdin,
          output: process.stdout,
          tellsProgress: options.progress === true,
          onEnd: () => {
            stop(0);
          },
        }),
      ],
      log,
      onFatal: (error) => {
        log.fatal({ err: error }, 'the worker can not go on');
        end(EXIT.failed);
      },
    });
    await starting;
    watchHost(stop);
    let signalled = false;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        stop(signalled ? 0 : settings.gracePeriod);
        signalled = true;
      });
    }
    log.info({ pid: process.pid, device: settings.device }, 'ready');
    return await ended;
  } finally {
    rmSync(data, { recursive: true, force: true });
    flush();
  }
}

/**
 * Stops when nobody is there to be answered. The parent's id is asked for, rather than the kernel for a signal (PR_SET_PDEATHSIG): that one
 * comes when the thread ends that started this process, and hosts start processes on threads of a pool.
 */
function watchHost(stop: (graceSeconds: number) => void): void {
  const host = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== host) stop(0);
  }, HOST_INTERVAL_MS);
  watch.unref();
  process.stdout.on('error', () => {
    stop(0);
  });
}

/** What workers left that were killed. */
function removeLeftovers(): void {
  const folder = tmpdir();
  for (const name of readdirSync(folder)) {
    const [, pid] = /^latentd-worker-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
