/** Regular expressions of Python's kind as nodes (ComfyUI comfy_extras/nodes_string.py). */
import {
  compileRegex,
  findAll,
  RegexError,
  search,
  substitute,
  type PythonRegex,
} from '../../python/regex.js';
import { boolean, combo, defineNode, int, string } from '../definition.js';

const described = { category: 'text', optional: {} };
const text = string({ multiline: true });
const regex_pattern = string({ multiline: true, tooltip: "A regular expression as Python's re takes them." });
const FLAGS = {
  case_insensitive: boolean({ default: true, tooltip: 'Whether capitals and small letters are the same.' }),
  multiline: boolean({ default: false, tooltip: 'Whether ^ and $ mean every line.' }),
  dotall: boolean({ default: false, tooltip: 'Whether . is a line break, too.' }),
};

interface Flags {
  readonly case_insensitive?: boolean;
  readonly multiline?: boolean;
  readonly dotall?: boolean;
}

function compiled(pattern: string, { case_insensitive = true, multiline = false, dotall = false }: Flags) {
  return compileRegex(pattern, { ignoreCase: case_insensitive, multiline, dotAll: dotall });
}

/** What `use` gives, or `otherwise` where the pattern is none, as ComfyUI has it. */
function unlessUnsound<Result>(
  pattern: string,
  flags: Flags,
  otherwise: Result,
  use: (regex: PythonRegex) => Result,
): Result {
  let regex: PythonRegex;
  try {
    regex = compiled(pattern, flags);
  } catch (error) {
    if (error instanceof RegexError) return otherwise;
    throw error;
  }
  return use(regex);
}

export const regexMatch = defineNode({
  ...described,
  name: 'RegexMatch',
  displayName: 'Match Text',
  description: 'Whether a regular expression matches anywhere in a text; one that is not sound never does.',
  required: { string: text, regex_pattern, ...FLAGS },
  outputs: [{ type: 'BOOLEAN', name: 'matches' }],
  run: ({ string, regex_pattern: pattern, ...flags }) => ({
    outputs: [unlessUnsound(pattern, flags, false, (regex) => search(regex, string) !== undefined)],
  }),
});

export const regexExtract = defineNode({
  ...described,
  name: 'RegexExtract',
  displayName: 'Extract Text',
  description:
    'What a regular expression matches in a text, or a group of it; several are joined by line breaks.',
  required: {
    string: text,
    regex_pattern,
    mode: combo(['First Match', 'All Matches', 'First Group', 'All Groups'], {
      tooltip: 'All Matches gives the first group where there are several, the only one where there is one.',
    }),
    ...FLAGS,
    group_index: int({ default: 1, min: 0, max: 100, tooltip: 'The group to take; 0 is the whole match.' }),
  },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run({ string, regex_pattern: pattern, mode, group_index: group, ...flags }) {
    const found = unlessUnsound(pattern, flags, '', (regex) => {
      const has = regex.groupCount >= group;
      switch (mode) {
        case 'First Match':
          return search(regex, string)?.[0] ?? '';
        case 'All Matches':
          return findAll(regex, string)
            .map(([first = '']) => first)
            .join('\n');
        case 'First Group':
          return (has ? search(regex, string)?.[group] : undefined) ?? '';
        case 'All Groups':
          if (!has || regex.groupCount === 0) return '';
          return Array.from(regex.findAll(string), ({ groups }) => {
            const own = groups[group];
            if (own === undefined) throw new RangeError(`group ${group} takes no part in a match`);
            return own;
          }).join('\n');
      }
    });
    return { outputs: [found] };
  },
});

export const regexReplace = defineNode({
  ...described,
  name: 'RegexReplace',
  displayName: 'Replace Text (Regex)',
  description: 'Replaces what a regular expression matches; \\1 and \\g<name> stand for groups.',
  required: { string: text, regex_pattern, replace: text },
  optional: {
    ...FLAGS,
    count: int({ default: 0, min: 0, max: 100, tooltip: 'How many at most; 0 for all.' }),
  },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ string, regex_pattern: pattern, replace, count = 0, ...flags }) => ({
    outputs: [substitute(compiled(pattern, flags), string, replace, count)],
  }),
});
