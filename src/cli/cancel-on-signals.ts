import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Milliseconds that a run has to notice a signal; what gives the event loop no turn for so long is ended. */
const PATIENCE_MS = 3000;

/** Turns the first signal to stop into an abort; a second one ends the process at once. */
export interface SignalWatch {
  readonly signal: AbortSignal;
  /** 128 + the number of the signal that came, which is what a shell expects as exit code; undefined when none did. */
  readonly exitCode: number | undefined;
  /**
   * Ends the process by a signal even where the event loop gets no turn, for commands that compute. `lastWords` then go to standard
   * output.
   */
  insist(lastWords?: string): Promise<void>;
  release(): void;
}

export function cancelOnSignals(): SignalWatch {
  const controller = new AbortController();
  let exitCode: number | undefined;
  let guard: typeof import('../native/addon.js') | undefined;
  const handle = (name: NodeJS.Signals): void => {
    // The guard ends the process at the second signal, and tidies up before.
    if (exitCode !== undefined && guard === undefined) process.exit(exitCode);
    guard?.answerSignal();
    exitCode = 128 + constants.signals[name];
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, handle);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    async insist(lastWords = '') {
      // Loaded here: commands that only talk to a daemon do without the addon.
      guard = await import('../native/addon.js');
      guard.guardSignals(PATIENCE_MS, lastWords);
    },
    release() {
      guard?.releaseSignals();
      for (const name of SIGNALS) process.off(name, handle);
    },
  };
}
