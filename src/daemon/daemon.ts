/** The daemon process: sockets, queue and engine tied together. It does no inference, and nothing here waits for any. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { EngineSettings } from '../engine-process/messages.js';
import { RequestSocket } from '../wire/request-socket.js';
import { Authenticator } from '../wire/authenticator.js';
import type { CurveServer } from '../wire/curve-keys.js';
import { isLoopback } from '../wire/security.js';
import { UpdateSocket } from '../wire/update-socket.js';
import type { Premises } from './admission.js';
import { EngineHost, type JobBounds } from './engine-host.js';
import { Estimates } from './estimates.js';
import { openJournal, type Journal } from './journal.js';
import { lockFolder } from './lock.js';
import { JobQueue } from './queue.js';
import { RequestDesk } from './request-desk.js';
import { Runner } from './runner.js';
import { keepMemorySmall } from './small-memory.js';

/** What may change while the daemon runs. */
export interface DaemonConfiguration extends Premises {
  readonly engine: EngineSettings;
  readonly queueCapacity: number;
  readonly bounds: JobBounds;
  /** Finished jobs are forgotten after so many seconds, and beyond so many. */
  readonly keepSeconds: number;
  readonly keepJobs: number;
}

export interface DaemonOptions {
  readonly requestAddress: string;
  readonly updateAddress: string;
  readonly curve: CurveServer | undefined;
  readonly dataFolder: string;
  /** The engine process's main module. */
  readonly engineEntry: string;
  readonly configuration: DaemonConfiguration;
  readonly log: Logger;
  /** Told when nothing can be made durable any more; the daemon can't go on. */
  readonly onFatal: (error: Error) => void;
}

/** Where it can be reached: as asked for, with the ports that were chosen. */
export interface DaemonAddresses {
  readonly requests: string;
  readonly updates: string;
}

const PRUNE_INTERVAL_MS = 3_600_000;
const PRUNE_AFTER_JOBS = 1000;
/** For the engine to end by itself when no job runs. */
const ENGINE_STOP_MS = 2000;

/** What changes from outside. */
interface DaemonState {
  configuration: DaemonConfiguration;
  readonly stopping: AbortController;
}

/** What is opened one after the other at the start, and closed in reverse at the end. */
type Closer = () => unknown;

export class Daemon {
  private working: Promise<void> = Promise.resolve();
  private stopped: Promise<void> | undefined;
  private jobsSincePrune = 0;

  private constructor(
    private readonly options: DaemonOptions,
    private readonly state: DaemonState,
    private readonly parts: {
      readonly journal: Journal;
      readonly queue: JobQueue;
      readonly engine: EngineHost;
      readonly runner: Runner;
    },
    readonly addresses: DaemonAddresses,
    private readonly closers: Closer[],
  ) {}

  /**
   * Takes the data folder, recovers the queue, binds the sockets and begins to work. Rejects when another daemon holds the
   * folder or an address can't be bound; then nothing is left behind.
   */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const closers: Closer[] = [];
    try {
      return await Daemon.open(options, closers);
    } catch (cause) {
      await closeAll(closers);
      throw cause;
    }
  }

  /** Jobs that wait, and the id of the one that runs. */
  get activity(): { readonly waiting: number; readonly running: string | undefined } {
    return { waiting: this.parts.queue.size, running: this.parts.runner.running?.id };
  }

  /** Takes what has changed without a restart; the engine is replaced between two jobs where it has to be. */
  reconfigure(configuration: DaemonConfiguration): void {
    this.state.configuration = configuration;
    this.parts.engine.configure(configuration.engine);
  }

  /**
   * Refuses new jobs, lets the running one finish within `graceSeconds` (else it goes back to the queue), and lets go of
   * everything. A second call with less grace shortens the first.
   */
  stop(graceSeconds: number): Promise<void> {
    this.state.stopping.abort();
    const grace = setTimeout(() => {
      this.parts.runner.interrupt();
    }, graceSeconds * 1000);
    this.stopped ??= this.wind();
    return this.stopped.finally(() => {
      clearTimeout(grace);
    });
  }

  private async wind(): Promise<void> {
    await this.working;
    await this.parts.engine.stop(ENGINE_STOP_MS);
    await closeAll(this.closers);
  }

  private static async open(options: DaemonOptions, closers: Closer[]): Promise<Daemon> {
    const { dataFolder, log, curve, onFatal } = options;
    await mkdir(dataFolder, { recursive: true }).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`the data folder ${dataFolder} can't be made: ${reason}`, { cause });
    });
    closers.push(lockFolder(dataFolder));
    const workFolder = join(dataFolder, 'work');
    const clearWork = () => rm(workFolder, { recursive: true, force: true });
    await clearWork();
    closers.push(clearWork);

    const { journal, waiting, stageTimes } = await openJournal(join(dataFolder, 'journal.sqlite'), onFatal);
    closers.push(() => journal.close(), keepMemorySmall());
    if (waiting.length > 0) log.info({ jobs: waiting.length }, 'unfinished jobs go on');

    const state: DaemonState = { configuration: options.configuration, stopping: new AbortController() };
    const current = () => state.configuration;
    const onFault = (error: Error) => {
      log.error({ err: error }, 'fault while serving');
    };
    const queue = new JobQueue(journal, waiting, () => current().queueCapacity);
    const estimates = new Estimates(stageTimes);
    const engine = new EngineHost({
      entry: options.engineEntry,
      settings: options.configuration.engine,
      log,
      onEnd: () => {
        estimates.forgetLoaded();
      },
    });
    if (curve !== undefined) {
      const authenticator = new Authenticator(curve, (address) => {
        log.warn({ address }, 'a client without a known key was turned away');
      });
      await authenticator.start();
      closers.push(() => {
        authenticator.close();
      });
    }
    const updates = new UpdateSocket(onFault, curve);
    closers.push(() => updates.close());
    const runner = new Runner({
      queue,
      journal,
      engine,
      updates,
      estimates,
      log,
      workFolder,
      bounds: () => current().bounds,
      onJobOver: () => {
        daemon.jobOver();
      },
    });
    const desk = new RequestDesk({
      queue,
      journal,
      runner,
      engine,
      estimates,
      premises: current,
      queueCapacity: () => current().queueCapacity,
      device: () => current().engine.device,
      log,
      stopping: () => state.stopping.signal.aborted,
    });
    const requests = new RequestSocket((request) => desk.handle(request), onFault, curve);
    closers.push(() => requests.close());

    warnOfOpenAddresses(options);
    const addresses = {
      updates: await updates.start(options.updateAddress),
      requests: await requests.start(options.requestAddress),
    };
    const daemon: Daemon = new Daemon(options, state, { journal, queue, engine, runner }, addresses, closers);
    daemon.begin();
    return daemon;
  }

  private begin(): void {
    const { engine, runner } = this.parts;
    void engine.warmUp();
    this.working = runner.work(this.state.stopping.signal).catch((error: unknown) => {
      if (this.state.stopping.signal.aborted)
        this.options.log.error({ err: error }, 'stopped with a job under way');
      else this.options.onFatal(error instanceof Error ? error : new Error(String(error)));
    });
    this.prune();
    const pruning = setInterval(() => {
      this.prune();
    }, PRUNE_INTERVAL_MS);
    this.closers.push(() => {
      clearInterval(pruning);
    });
  }

  private jobOver(): void {
    if (++this.jobsSincePrune >= PRUNE_AFTER_JOBS) this.prune();
  }

  private prune(): void {
    this.jobsSincePrune = 0;
    const { keepSeconds, keepJobs } = this.state.configuration;
    this.parts.journal.prune(Date.now() - keepSeconds * 1000, keepJobs).catch((error: unknown) => {
      this.options.log.error({ err: error }, 'finished jobs could not be pruned');
    });
  }
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

function warnOfOpenAddresses({ requestAddress, updateAddress, curve, log }: DaemonOptions): void {
  if (curve !== undefined) return;
  for (const address of [requestAddress, updateAddress].filter((each) => !isLoopback(each))) {
    log.warn(
      { address },
      'this address is open to the network without encryption: whoever reaches it can run jobs; see --curve-keys',
    );
  }
}
