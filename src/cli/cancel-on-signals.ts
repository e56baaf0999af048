import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Turns the first signal to stop into an abort; a second one ends the process at once. */
export interface SignalWatch {
  readonly signal: AbortSignal;
  /** 128 + the number of the signal that came, which is what a shell expects as exit code; undefined when none did. */
  readonly exitCode: number | undefined;
  release(): void;
}

export function cancelOnSignals(): SignalWatch {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const handle = (name: NodeJS.Signals): void => {
    if (exitCode !== undefined) process.exit(exitCode);
    exitCode = 128 + constants.signals[name];
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, handle);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    release() {
      for (const name of SIGNALS) process.off(name, handle);
    },
  };
}
