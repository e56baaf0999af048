/** The log of a process that goes on until it is told to end: standard error, JSON or, on a terminal, lines for people. */
import { pino, type Logger } from 'pino';
import { logFormat } from './log-format.js';

export interface DaemonLog {
  readonly log: Logger;
  /** To be called at the end: waits until all of it is written. */
  readonly flush: () => void;
}

export async function openLog(level: string): Promise<DaemonLog> {
  // Buffered: a journal that is slow to read must not hold the daemon up.
  const destination = pino.destination({ dest: 2, sync: false, minLength: 0 });
  const format = await logFormat(process.stderr.isTTY);
  const log = pino({ level, base: null }, { write: (line: string) => destination.write(format(line)) });
  return {
    log,
    flush: () => {
      destination.flushSync();
    },
  };
}
