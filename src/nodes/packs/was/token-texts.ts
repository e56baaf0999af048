/**
 * Tokens: names that stand for other texts. WAS keeps them in a file for good; here they live as long as a run, so that no job sees another's. Those that
 * tell of the machine (`[hostname]`, `[user]`, `[cuda_device]`, `[cuda_name]`) stay as they are.
 */
import { compileRegex, strftime, substitute } from '../../public.js';

/** What `re.escape` puts a backslash before. */
const SPECIAL = /[()[\]{}?*+\-|^$\\.&~#\s]/g;

/** Tokens of runs that go on, by their signals. */
const tokensOfRuns = new WeakMap<AbortSignal, Map<string, string>>();

/** The tokens of a run, by its signal. */
export function tokensOf(run: AbortSignal): Map<string, string> {
  const tokens = tokensOfRuns.get(run) ?? new Map<string, string>();
  tokensOfRuns.set(run, tokens);
  return tokens;
}

/** A text with tokens filled in, one after the other: `[time]` is the second since 1970, `[time(%Y-%m-%d)]` a time as Python formats it. */
export function withTokens(text: string, run?: AbortSignal): string {
  const now = new Date();
  const tokens = new Map([['[time]', String(Math.floor(now.getTime() / 1000))]]);
  for (const [name, value] of run === undefined ? [] : tokensOf(run)) tokens.set(name, value);
  let filled = text;
  for (const [name, value] of tokens) {
    if (name.startsWith('[time(')) continue;
    filled = substitute(compileRegex(name.replace(SPECIAL, '\\$&')), filled, value);
  }
  return filled.replace(/\[time\((.*?)\)\]/g, (_, format: string) => strftime(format, now));
}

/** A text with the time in it is another each time. */
export const timed = (...texts: readonly (string | undefined)[]) =>
  texts.some((text) => text?.includes('[time') === true) ? String(Date.now()) : '';
