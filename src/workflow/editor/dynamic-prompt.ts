/**
 * Dynamic prompts as ComfyUI's editor fills them in when a workflow is queued (shared-frontend-utils/formatUtil.ts,
 * processDynamicPrompt): `{a|b|{c|d}}` becomes one of its options, and C's comments go. `\{`, `\|` and `\}` stand for themselves.
 */

/** From 0 up to 1, as `Math.random`. */
export type Random = () => number;

/** Options within options beyond this stay as they are written. */
const MAX_DEPTH = 100;

export function processDynamicPrompt(text: string, random: Random): string {
  return choose(text, random, 0);
}

function choose(text: string, random: Random, depth: number): string {
  const source = withoutComments(text);
  let result = '';
  for (let at = 0; at < source.length; at++) {
    const character = source[at]!;
    if (character === '\\') result += character + (source[++at] ?? '');
    else if (character === '{' && depth < MAX_DEPTH) {
      const { options, end } = optionsAt(source, at + 1);
      result += choose(options[Math.floor(random() * options.length)]!, random, depth + 1);
      at = end;
    } else result += character;
  }
  return result.replaceAll(/\\([{}|])/g, '$1');
}

/** Without block comments, those that end, and line comments. */
function withoutComments(text: string): string {
  let result = '';
  let at = 0;
  // No block ends after the last end of one, however many begin.
  const lastEnd = text.lastIndexOf('*/');
  for (const { index } of text.matchAll(/\/[*/]/g)) {
    if (index < at) continue;
    const isBlock = text[index + 1] === '*';
    if (isBlock && lastEnd < index + 2) continue;
    const end = isBlock ? text.indexOf('*/', index + 2) + 2 : lineEnd(text, index);
    result += text.slice(at, index);
    at = end;
  }
  return result + text.slice(at);
}

/** As `.` in a pattern, which ends lines at separators of Unicode's, too. */
function lineEnd(text: string, from: number): number {
  const rest = /[\n\r\u2028\u2029]/g;
  rest.lastIndex = from;
  return rest.exec(text)?.index ?? text.length;
}

/** The options of a block up to its closing brace, or to the end of a text that doesn't close it. */
function optionsAt(
  source: string,
  start: number,
): { readonly options: readonly string[]; readonly end: number } {
  const options: string[] = [];
  let option = '';
  let open = 0;
  let at = start;
  for (; at < source.length; at++) {
    const character = source[at]!;
    if (character === '\\') {
      option += character + (source[++at] ?? '');
      continue;
    }
    if (character === '}' && open === 0) break;
    if (character === '|' && open === 0) {
      options.push(option);
      option = '';
      continue;
    }
    if (character === '{') open++;
    else if (character === '}') open--;
    option += character;
  }
  return { options: [...options, option], end: at };
}
