/** Python's `str` methods as nodes (ComfyUI comfy_extras/nodes_string.py). */
import { capitalize, replaceText, sliceText, strip, textLength, title } from '../../python/text.js';
import { boolean, combo, defineNode, int, string } from '../definition.js';

const described = { category: 'text', optional: {} };
const text = string({ multiline: true });
const TEXT_OUTPUT = [{ type: 'STRING', name: 'STRING' }] as const;
const position = (tooltip: string) => int({ min: -Infinity, max: Infinity, tooltip });
const caseSensitive = boolean({ default: true, tooltip: 'Whether capitals and small letters differ.' });

export const stringConcatenate = defineNode({
  ...described,
  name: 'StringConcatenate',
  displayName: 'Concatenate Text',
  description: 'Joins two texts, with another between them.',
  required: { string_a: text, string_b: text, delimiter: string({ multiline: false }) },
  outputs: TEXT_OUTPUT,
  run: ({ string_a, string_b, delimiter }) => ({ outputs: [string_a + delimiter + string_b] }),
});

export const stringSubstring = defineNode({
  ...described,
  name: 'StringSubstring',
  displayName: 'Substring',
  description: 'Cuts a part out of a text.',
  required: {
    string: text,
    start: position('The first character, counted from 0, or from the end below 0.'),
    end: position('The character before which it ends, counted likewise.'),
  },
  outputs: TEXT_OUTPUT,
  run: ({ string, start, end }) => ({ outputs: [sliceText(string, start, end)] }),
});

export const stringLength = defineNode({
  ...described,
  name: 'StringLength',
  displayName: 'Text Length',
  description: 'How many characters a text has.',
  required: { string: text },
  outputs: [{ type: 'INT', name: 'length' }],
  run: ({ string }) => ({ outputs: [textLength(string)] }),
});

const CASES = {
  UPPERCASE: (value: string) => value.toUpperCase(),
  lowercase: (value: string) => value.toLowerCase(),
  Capitalize: capitalize,
  'Title Case': title,
} as const;

export const caseConverter = defineNode({
  ...described,
  name: 'CaseConverter',
  displayName: 'Convert Text Case',
  description: 'Writes a text in capitals, small letters, or with capitals at the beginning.',
  required: { string: text, mode: combo(['UPPERCASE', 'lowercase', 'Capitalize', 'Title Case']) },
  outputs: TEXT_OUTPUT,
  run: ({ string, mode }) => ({ outputs: [CASES[mode](string)] }),
});

const SIDES = { Both: 'both', Left: 'left', Right: 'right' } as const;

export const stringTrim = defineNode({
  ...described,
  name: 'StringTrim',
  displayName: 'Trim Text',
  description: 'Takes white space off the ends of a text.',
  required: { string: text, mode: combo(['Both', 'Left', 'Right']) },
  outputs: TEXT_OUTPUT,
  run: ({ string, mode }) => ({ outputs: [strip(string, SIDES[mode])] }),
});

export const stringReplace = defineNode({
  ...described,
  name: 'StringReplace',
  displayName: 'Replace Text',
  description: 'Replaces every occurrence of a text in another.',
  required: { string: text, find: text, replace: text },
  outputs: TEXT_OUTPUT,
  run: ({ string, find, replace }) => ({ outputs: [replaceText(string, find, replace)] }),
});

export const stringContains = defineNode({
  ...described,
  name: 'StringContains',
  displayName: 'Contains Text',
  description: 'Whether a text contains another.',
  required: { string: text, substring: text, case_sensitive: caseSensitive },
  outputs: [{ type: 'BOOLEAN', name: 'contains' }],
  run: ({ string, substring, case_sensitive }) => ({
    outputs: [
      case_sensitive ? string.includes(substring) : string.toLowerCase().includes(substring.toLowerCase()),
    ],
  }),
});

export const stringCompare = defineNode({
  ...described,
  name: 'StringCompare',
  displayName: 'Compare Text',
  description: 'Whether two texts are equal, or one begins or ends with the other.',
  required: {
    string_a: text,
    string_b: text,
    mode: combo(['Starts With', 'Ends With', 'Equal']),
    case_sensitive: caseSensitive,
  },
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
  run({ string_a, string_b, mode, case_sensitive }) {
    const [a, b] = [string_a, string_b].map((value) => (case_sensitive ? value : value.toLowerCase()));
    if (mode === 'Equal') return { outputs: [a === b] };
    return { outputs: [mode === 'Starts With' ? a!.startsWith(b!) : a!.endsWith(b!)] };
  },
});
