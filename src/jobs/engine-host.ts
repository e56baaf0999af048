/**
 * Keeps one engine process: starts it, gives it one job at a time, and ends it when it hangs or takes too long. A crash, an
 * out-of-memory kill or a stuck driver costs one attempt of one job.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EngineSettings, FromEngine, JobEnd, JobEvent } from '../engine-process/messages.js';
import type { JobTask } from '../engine-process/task.js';
import { AwakeTimer } from './awake-timer.js';
import { EngineChild } from './engine-child.js';
import { StartTurns } from './start-turns.js';

export interface EngineHostOptions {
  readonly entry: string;
  readonly settings: EngineSettings;
  /** Shared by engines that start on the same cores. */
  readonly turns?: StartTurns;
  readonly log: Logger;
  /** Told when a process has ended, before another is started. */
  readonly onEnd: () => void;
  /** Told when a process is ready, with the FLOP a second that it does where it has measured that. */
  readonly onReady?: (speed: number | undefined) => void;
  /** Told when one ended before it was ready. */
  readonly onStartFailed?: (cause: string) => void;
}

/** What bounds a job, in seconds. */
export interface JobBounds {
  readonly timeLimit: number;
  /** Longest silence of the engine before it counts as hung. */
  readonly silence: number;
}

export interface EngineJob {
  readonly id: string;
  readonly task: JobTask;
  /** The job's own folder, for previews. */
  readonly workFolder: string;
  readonly onEvent: (event: JobEvent) => void;
  /** Aborted to end the job within one step. */
  readonly signal: AbortSignal;
}

/** How an attempt at a job ended. */
export type AttemptEnd =
  | JobEnd
  /** The process ended before the job did. */
  | { readonly kind: 'died'; readonly cause: string };

/** What is known of the process. */
export interface EngineState {
  /** `set aside`: its device keeps failing, and gets no jobs for a while. */
  readonly state: 'starting' | 'ready' | 'down' | 'set aside';
  readonly device: string;
  readonly restarts: number;
  readonly pid?: number;
  /** Why it is down, or set aside. */
  readonly error?: string;
}

/** Seconds that a cancelled job may go on before its process is ended. */
const CANCEL_SECONDS = 30;
const START_SECONDS = 120;
/** Seconds between starts that fail, growing from the first to the last. */
const BACKOFF_SECONDS = [0.2, 1, 5, 15, 30] as const;

interface Running {
  readonly job: EngineJob;
  readonly end: (result: AttemptEnd) => void;
  /** Restarts the clock that runs while the engine is silent. */
  readonly heard: () => void;
}

export class EngineHost {
  private child: EngineChild | undefined;
  private running: Running | undefined;
  private settings: EngineSettings;
  private state: EngineState['state'] = 'down';
  private lastError: string | undefined;
  private startsFailed = 0;
  private started = 0;
  private readonly stopping = new AbortController();
  private readonly turns: StartTurns;

  constructor(private readonly options: EngineHostOptions) {
    this.settings = options.settings;
    this.turns = options.turns ?? new StartTurns();
  }

  get info(): EngineState {
    const { pid } = this.child ?? {};
    return {
      state: this.state,
      device: this.settings.device,
      restarts: Math.max(0, this.started - 1),
      ...(pid !== undefined && { pid }),
      ...(this.state === 'down' && this.lastError !== undefined && { error: this.lastError }),
    };
  }

  /** Resident memory of the process; 0 when none runs. */
  async residentBytes(): Promise<number> {
    const pid = this.child?.pid;
    if (pid === undefined) return 0;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }

  /** Starts the process when none runs, so that the first job needn't wait for it. Never rejects. */
  async warmUp(): Promise<void> {
    await this.readyChild().catch(() => undefined);
  }

  /** Takes settings for the next process; one that runs is replaced when its job is over. */
  configure(settings: EngineSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.settings)) return;
    this.settings = settings;
    if (this.running === undefined) this.child?.kill('its settings have changed');
  }

  /**
   * Gives back what a model file takes, after the job that runs. Without one, all that models and results take, once no job runs:
   * another process, which has none yet.
   */
  free(model?: string): void {
    if (model !== undefined) {
      this.child?.send({ kind: 'free', path: model });
      return;
    }
    this.settings = { ...this.settings };
    if (this.running === undefined) this.child?.kill('its memory is asked for');
  }

  /** Runs a job to its end; never rejects. */
  async run(job: EngineJob, { timeLimit, silence }: JobBounds): Promise<AttemptEnd> {
    let child: EngineChild;
    try {
      child = await unlessAborted(this.readyChild(), job.signal);
    } catch (error) {
      if (job.signal.aborted) return { kind: 'cancelled', id: job.id, outputs: [] };
      return { kind: 'died', cause: error instanceof Error ? error.message : String(error) };
    }
    // It may have ended in the same turn in which it was ready; from here on, `ended` tells the job.
    if (child !== this.child) return { kind: 'died', cause: this.lastError ?? 'the engine process ended' };
    const { settings } = this;
    const timers = new Set<AwakeTimer>();
    const killAfter = (seconds: number, cause: string): AwakeTimer => {
      const timer = new AwakeTimer(seconds, () => {
        child.kill(cause);
      });
      timers.add(timer);
      return timer;
    };
    killAfter(timeLimit, `the job took longer than its limit of ${timeLimit} s`);
    const silent = killAfter(silence, `the engine gave no sign of life for ${silence} s`);
    const cancel = () => {
      child.send({ kind: 'cancel', id: job.id });
      killAfter(CANCEL_SECONDS, `the job was cancelled and went on for ${CANCEL_SECONDS} s`);
    };
    job.signal.addEventListener('abort', cancel, { once: true });
    try {
      return await new Promise<AttemptEnd>((resolve) => {
        this.running = {
          job,
          end: resolve,
          heard: () => {
            silent.refresh();
          },
        };
        const { id, task, workFolder } = job;
        child.send({ kind: 'run', id, task, workFolder });
      });
    } finally {
      this.running = undefined;
      job.signal.removeEventListener('abort', cancel);
      for (const timer of timers) timer.clear();
      if (settings !== this.settings) child.kill('its settings have changed, or its memory is asked for');
    }
  }

  /** Ends the process at once; a running job's result is `died` with this cause. */
  kill(cause: string): void {
    this.child?.kill(cause);
  }

  /** Lets the process end by itself, or ends it after `graceMs`; none is started after that. */
  async stop(graceMs: number): Promise<void> {
    this.stopping.abort();
    const { child } = this;
    if (child === undefined) return;
    const timer = setTimeout(() => {
      child.kill('the daemon stops');
    }, graceMs);
    child.send({ kind: 'shutdown' });
    await child.ended;
    clearTimeout(timer);
  }

  private async readyChild(): Promise<EngineChild> {
    if (this.child === undefined) {
      const pause = BACKOFF_SECONDS[Math.min(this.startsFailed, BACKOFF_SECONDS.length) - 1];
      if (pause !== undefined) await delay(pause * 1000, undefined, { signal: this.stopping.signal });
      if (this.state === 'down') this.state = 'starting';
      const endTurn = await this.turns.take();
      if (this.stopping.signal.aborted) {
        endTurn();
        throw new Error('the daemon stops');
      }
      this.child ??= this.start();
      this.child.ready.finally(endTurn).catch(() => undefined);
    }
    const { child } = this;
    await child.ready;
    return child;
  }

  private start(): EngineChild {
    const { entry, log } = this.options;
    this.started++;
    this.state = 'starting';
    const child = new EngineChild({
      entry,
      settings: this.settings,
      log,
      startSeconds: START_SECONDS,
      onMessage: (message) => {
        this.receive(message);
      },
    });
    log.info({ engine: child.pid }, 'engine started');
    void child.ended.then((cause) => {
      this.ended(child, cause);
    });
    return child;
  }

  private receive(message: FromEngine): void {
    const { running } = this;
    if (message.kind === 'ready') {
      this.state = 'ready';
      this.startsFailed = 0;
      this.options.onReady?.(message.speed);
      return;
    }
    running?.heard();
    if (message.kind === 'alive' || message.id !== running?.job.id) return;
    if (message.kind === 'event') running.job.onEvent(message.event);
    else running.end(message);
  }

  private ended(child: EngineChild, cause: string): void {
    const { log, onEnd } = this.options;
    const failedToStart = this.state === 'starting';
    if (failedToStart) this.startsFailed++;
    this.state = 'down';
    this.lastError = cause;
    this.child = undefined;
    this.running?.end({ kind: 'died', cause });
    if (this.stopping.signal.aborted) return;
    log.warn({ engine: child.pid, cause }, 'engine ended');
    if (failedToStart) this.options.onStartFailed?.(cause);
    onEnd();
    void this.warmUp();
  }
}

/** What the promise gives, or a rejection as soon as the signal is aborted. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(new Error('aborted'));
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
