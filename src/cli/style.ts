/** Colour on terminals, as NO_COLOR (no-color.org) and FORCE_COLOR have it. */
import { styleText } from 'node:util';

export type Style = 'green' | 'yellow' | 'red' | 'dim' | 'bold';

/** The text in a style, where standard output shows any. */
export function styled(text: string, style: Style): string {
  return text !== '' && hasColour(process.stdout, process.env) ? styleText(style, text) : text;
}

/** Whether a stream shows colours: FORCE_COLOR decides, then NO_COLOR, then whether it is a terminal that can. */
export function hasColour(
  { isTTY }: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  return isTTY === true && env['TERM'] !== 'dumb';
}
