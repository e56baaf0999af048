/** One engine process, from its start to its end. */
import { fork, type ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import type { EngineSettings, FromEngine, ToEngine } from '../engine-process/messages.js';
import { AwakeTimer } from './awake-timer.js';

export interface EngineChildOptions {
  /** The engine's main module. */
  readonly entry: string;
  readonly settings: EngineSettings;
  readonly log: Logger;
  readonly onMessage: (message: FromEngine) => void;
  /** Longest time until it is ready, in seconds. */
  readonly startSeconds: number;
}

/** So much of the last things that a process wrote is kept, to tell why it ended. */
const TAIL_LENGTH = 500;

/**
 * The engine collects its own garbage between jobs, and tensors don't lie in V8's heap: a young generation of the default 16 MB,
 * twice, would only be memory that nobody uses.
 */
const ENGINE_FLAGS = ['--expose-gc', '--max-semi-space-size=4'];

export class EngineChild {
  /** Resolves when it can take a job; rejects with the cause when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves with the cause when the process is gone. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private killedBecause: string | undefined;
  private tail = '';

  constructor(options: EngineChildOptions) {
    this.child = start(options);
    let becomeReady: () => void = () => undefined;
    let failToStart: (error: Error) => void = () => undefined;
    let end: (cause: string) => void = () => undefined;
    this.ready = new Promise((resolve, reject) => {
      becomeReady = resolve;
      failToStart = reject;
    });
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    // Whoever waits for readiness hears of its failure; nobody has to.
    this.ready.catch(() => undefined);
    const patience = new AwakeTimer(options.startSeconds, () => {
      this.kill(`the engine was not ready after ${options.startSeconds} s`);
    });
    const settle = (cause: string) => {
      patience.clear();
      failToStart(new Error(cause));
      end(cause);
    };
    this.child.on('message', (message) => {
      const fromEngine = message as FromEngine;
      if (fromEngine.kind === 'ready') {
        patience.clear();
        becomeReady();
      }
      options.onMessage(fromEngine);
    });
    this.child.on('error', (error) => {
      // A process that was never started ends without an `exit`.
      if (this.child.pid === undefined) settle(`the engine could not be started: ${error.message}`);
    });
    this.child.once('exit', (code, signal) => {
      settle(this.killedBecause ?? this.describeEnd(code, signal));
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.tail = (this.tail + text).slice(-TAIL_LENGTH);
      options.log.warn({ engine: this.pid, text: text.trimEnd() }, 'engine wrote');
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** A channel that closed meanwhile is no fault here: `ended` tells of it. */
  send(message: ToEngine): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  /** Ends the process at once. */
  kill(cause: string): void {
    this.killedBecause ??= cause;
    this.child.kill('SIGKILL');
  }

  private describeEnd(code: number | null, signal: string | null): string {
    const how = signal === null ? `exit code ${code ?? 'unknown'}` : signal;
    const hint = signal === 'SIGKILL' ? ', perhaps by the kernel for want of memory' : '';
    const tail = this.tail.trim() === '' ? '' : `: ${this.tail.trim()}`;
    return `the engine process ended (${how}${hint})${tail}`;
  }
}

function start({ entry, settings }: EngineChildOptions): ChildProcess {
  // What systemd gave the daemon is not the engine's to use.
  const env = { ...process.env };
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(env, name);
  // By default glibc keeps eight arenas a core, and each keeps what was once freed in it; sharp's documentation advises the same.
  env['MALLOC_ARENA_MAX'] ??= '2';
  return fork(entry, [JSON.stringify(settings)], {
    env,
    execArgv: ENGINE_FLAGS,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}
