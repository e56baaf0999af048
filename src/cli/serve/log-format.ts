/** What the log's lines look like: JSON for programs, one readable line each for a person at a terminal. */
import { safeJson, safeText } from '../../safe-text.js';

/** From a line of JSON to what is written; safe to show, whatever it quotes. */
export async function logFormat(terminal: boolean): Promise<(line: string) => string> {
  if (!terminal) return safeJson;
  const { prettyFactory } = await import('pino-pretty');
  // In one colour: what is quoted may hold escapes, and none of them gets through.
  const pretty = prettyFactory({
    colorize: false,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
  });
  return (line) => safeText(pretty(line), Infinity);
}
