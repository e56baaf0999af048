/** What fronts ask before they accept a job: whether a workflow can run, which checkpoint there is, and what it takes to draw with it. */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { CountedWork } from '../engine/picture-work.js';
import type { JobLoad } from '../jobs/job.js';
import type { FaultReport } from '../workflow/faults.js';
import type { Json } from '../workflow/literal.js';
import type {
  CheckerReply,
  CheckerRequest,
  CheckerSettings,
  Examination,
  PromptReading,
} from './checker-worker.js';

export interface Checker {
  /**
   * Every fault of a workflow, as JSON text; undefined where it can run. Undefined as well when a busy machine has not looked at it
   * within seconds, for clients wait no longer: then its job fails with the same report.
   */
  check(workflow: string, patience?: Patience): Promise<FaultReport | undefined>;
  /**
   * A workflow in the editor's form as JSON text in the API's, with what the editor sends beside it; or why there is none.
   * Undefined when a busy machine has not looked at it in time.
   */
  convert(workflow: string, patience?: Patience): Promise<string | FaultReport | undefined>;
  /**
   * What a workflow of a client's own is: which of its outputs can run, why others can't, and what decides how long it takes.
   * Undefined when a busy machine has not looked at it in half a minute.
   */
  examine(workflow: string): Promise<Examination | undefined>;
  /**
   * The same of the body of a /prompt request, which becomes a task; `extra` are entries of its `extra_data` that are set, or
   * taken out where they are undefined.
   */
  readPrompt(
    body: string,
    extra: Readonly<Record<string, Json | undefined>>,
  ): Promise<PromptReading | undefined>;
  /** ComfyUI's `object_info` as JSON text, of one class or all: what can be chosen now is in it. */
  objectInfo(nodeClass?: string): Promise<string | undefined>;
  /** The checkpoint that templates would take. */
  chooseCheckpoint(patience?: Patience): Promise<string | undefined>;
  /** What a job's pictures take; undefined where that can't be told, or not soon. */
  countWork(workflow: string, load: JobLoad, patience?: Patience): Promise<CountedWork | undefined>;
  close(): Promise<void>;
}

/** Of the five seconds that clients wait. */
const PATIENCE_MS = 3500;

/** How long one client can be made to wait, by all that is asked for it together. */
export class Patience {
  private readonly end = performance.now() + PATIENCE_MS;

  get left(): number {
    return Math.max(0, this.end - performance.now());
  }
}

/** For a better guess than none. */
const COUNTING_PATIENCE_MS = 1500;
/** Clients over HTTP wait longer. */
const EXAMINING_PATIENCE_MS = 30_000;
/** A thread with all node classes takes some 50 MB, so it goes when nobody needs it. */
const IDLE_MS = 60_000;
const THREAD_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 };

/** Of an answer that came too late. */
const CONSEQUENCES: Readonly<Record<CheckerRequest['kind'], string>> = {
  check: 'its job will tell its faults',
  choose: 'its job will tell its faults',
  count: 'its time is guessed',
  convert: 'its client is told to ask again',
  examine: 'its client is told to ask again',
  prompt: 'its client is told to ask again',
  object_info: 'its client is told to ask again',
};

export interface CheckerOptions {
  readonly settings: () => CheckerSettings;
  readonly log: Logger;
}

/** Workflows are looked at by a thread that is started when it is needed. */
export function createChecker(options: CheckerOptions): Checker {
  return new ThreadChecker(options);
}

type Request = CheckerRequest extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'ticket'>
    : never
  : never;
type Result = Extract<CheckerReply, { result: unknown }>['result'];

class ThreadChecker implements Checker {
  private thread: { readonly worker: Worker; readonly settings: string } | undefined;
  private readonly pending = new Map<number, (result: Result) => void>();
  private idle: NodeJS.Timeout | undefined;
  private nextTicket = 0;

  constructor(private readonly options: CheckerOptions) {}

  async check(workflow: string, patience?: Patience): Promise<FaultReport | undefined> {
    const report = await this.ask({ kind: 'check', workflow }, patience?.left);
    return typeof report === 'object' && 'error' in report ? report : undefined;
  }

  async convert(workflow: string, patience?: Patience): Promise<string | FaultReport | undefined> {
    const result = await this.ask({ kind: 'convert', workflow }, patience?.left);
    return typeof result === 'string' || (typeof result === 'object' && 'error' in result)
      ? result
      : undefined;
  }

  async examine(workflow: string): Promise<Examination | undefined> {
    const examination = await this.ask({ kind: 'examine', workflow }, EXAMINING_PATIENCE_MS);
    return typeof examination === 'object' && 'outputs' in examination ? examination : undefined;
  }

  async readPrompt(
    body: string,
    extra: Readonly<Record<string, Json | undefined>>,
  ): Promise<PromptReading | undefined> {
    const reading = await this.ask({ kind: 'prompt', body, extra }, EXAMINING_PATIENCE_MS);
    return typeof reading === 'object' && 'task' in reading ? reading : undefined;
  }

  async objectInfo(nodeClass?: string): Promise<string | undefined> {
    const info = await this.ask({ kind: 'object_info', nodeClass }, EXAMINING_PATIENCE_MS);
    return typeof info === 'string' ? info : undefined;
  }

  async chooseCheckpoint(patience?: Patience): Promise<string | undefined> {
    const name = await this.ask({ kind: 'choose' }, patience?.left);
    return typeof name === 'string' ? name : undefined;
  }

  async countWork(
    workflow: string,
    { model, pixels }: JobLoad,
    patience?: Patience,
  ): Promise<CountedWork | undefined> {
    if (model === '') return undefined;
    const wait = Math.min(COUNTING_PATIENCE_MS, patience?.left ?? Infinity);
    const work = await this.ask({ kind: 'count', workflow, model, pixels }, wait);
    return typeof work === 'object' && 'step' in work ? work : undefined;
  }

  async close(): Promise<void> {
    clearTimeout(this.idle);
    const thread = this.thread;
    this.thread = undefined;
    await thread?.worker.terminate();
    this.settleAll();
  }

  private ask(request: Request, patience = PATIENCE_MS): Promise<Result> {
    const worker = this.running();
    const ticket = this.nextTicket++;
    clearTimeout(this.idle);
    return new Promise((resolve) => {
      const impatience = setTimeout(() => {
        const what = CONSEQUENCES[request.kind];
        this.options.log.warn(`a workflow could not be looked at in time; ${what}`);
        this.settle(ticket, undefined);
      }, patience);
      this.pending.set(ticket, (result) => {
        clearTimeout(impatience);
        resolve(result);
      });
      worker.postMessage({ ticket, ...request });
    });
  }

  /** The thread, with the settings of now. */
  private running(): Worker {
    const settings = this.options.settings();
    const key = JSON.stringify(settings);
    if (this.thread?.settings === key) return this.thread.worker;
    // What the old one is asked still is answered by nobody: settings change seldom.
    void this.thread?.worker.terminate();
    const worker = new Worker(new URL('./checker-thread.js', import.meta.url), {
      workerData: settings,
      resourceLimits: THREAD_LIMITS,
    });
    worker.unref();
    worker.on('message', (reply: CheckerReply) => {
      if ('error' in reply) this.options.log.error({ err: reply.error }, 'fault while checking a workflow');
      this.settle(reply.ticket, 'error' in reply ? undefined : reply.result);
    });
    worker.on('error', (error) => {
      this.options.log.error({ err: error }, 'the thread that checks workflows failed');
    });
    worker.on('exit', () => {
      if (this.thread?.worker !== worker) return;
      this.thread = undefined;
      this.settleAll();
    });
    this.thread = { worker, settings: key };
    return worker;
  }

  private settle(ticket: number, result: Result): void {
    this.pending.get(ticket)?.(result);
    this.pending.delete(ticket);
    if (this.pending.size > 0) return;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      const thread = this.thread;
      this.thread = undefined;
      void thread?.worker.terminate();
    }, IDLE_MS);
    this.idle.unref();
  }

  private settleAll(): void {
    for (const ticket of [...this.pending.keys()]) this.settle(ticket, undefined);
  }
}
