/** Texts. */
import {
  clipTextEncode,
  combo,
  compileRegex,
  defineNode,
  fileStamp,
  findAll,
  InputFileError,
  link,
  PythonRandom,
  readInputText,
  seed,
  shorten,
  string,
  strip,
  substitute,
  type RunContext,
} from '../../public.js';
import { timed, withTokens } from './token-texts.js';
import { LIST, NUMBER } from './types.js';

const described = { category: 'WAS Suite/Text', optional: {} };

export const textMultiline = defineNode({
  ...described,
  name: 'Text Multiline',
  displayName: 'Text Multiline',
  description: 'A text of several lines; those that begin with # are left out.',
  required: { text: string({ multiline: true }) },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  fingerprint: ({ text }) => timed(text),
  run({ text }) {
    const lines = text.split('\n');
    // What follows the last line break is no line of its own.
    if (lines.at(-1) === '') lines.pop();
    return { outputs: [withTokens(lines.filter((line) => !strip(line).startsWith('#')).join('\n'))] };
  },
});

const more = string({ multiline: false });

export const textString = defineNode({
  ...described,
  name: 'Text String',
  displayName: 'Text String',
  description: 'Four texts.',
  required: { text: string({ multiline: false }) },
  optional: { text_b: more, text_c: more, text_d: more },
  outputs: [
    { type: 'STRING', name: 'TEXT' },
    { type: 'STRING', name: 'TEXT_B' },
    { type: 'STRING', name: 'TEXT_C' },
    { type: 'STRING', name: 'TEXT_D' },
  ],
  fingerprint: ({ text, text_b, text_c, text_d }) => timed(text, text_b, text_c, text_d),
  run: ({ text, text_b = '', text_c = '', text_d = '' }) => ({
    outputs: [withTokens(text), withTokens(text_b), withTokens(text_c), withTokens(text_d)],
  }),
});

const part = string({ forceInput: true });

export const textConcatenate = defineNode({
  ...described,
  name: 'Text Concatenate',
  displayName: 'Text Concatenate',
  description: 'Joins texts that are not empty.',
  required: {
    delimiter: string({ default: ', ', tooltip: 'Between them; \\n is a line break.' }),
    clean_whitespace: combo(['true', 'false'], { tooltip: 'Whether white space is taken off their ends.' }),
  },
  optional: { text_a: part, text_b: part, text_c: part, text_d: part },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  takesMore: true,
  run({ delimiter, clean_whitespace, ...given }) {
    const texts = Object.entries(given)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, text]: [string, unknown]) => (typeof text === 'string' ? [text] : []))
      .map((text) => (clean_whitespace === 'true' ? strip(text) : text))
      .filter((text) => text !== '');
    return { outputs: [texts.join(delimiter === '\\n' ? '\n' : delimiter)] };
  },
});

export const textToConditioning = defineNode({
  name: 'Text to Conditioning',
  displayName: 'Text to Conditioning',
  category: 'WAS Suite/Text/Operations',
  description: 'Encodes a prompt.',
  required: { clip: link('CLIP'), text: part },
  optional: {},
  outputs: clipTextEncode.outputs,
  run: (inputs, context) => clipTextEncode.run(inputs, context),
});

/** `open` from Python's working folder: the input folder, and with `input/`, `output/` or `temp/` before it that folder. */
function pathOf(file: string, folders: RunContext['folders']): string | undefined {
  const named = /^(?:\.\/)?(input|output|temp)\/(.+)$/s.exec(file);
  const inside = (['input', 'output', 'temp'] as const).find((kind) => file.startsWith(`${folders[kind]}/`));
  const name =
    inside !== undefined
      ? `${file.slice(folders[inside].length + 1)} [${inside}]`
      : named === null
        ? file
        : `${named[2]!} [${named[1]!}]`;
  try {
    return folders.resolveInput(name);
  } catch (error) {
    if (error instanceof InputFileError) return undefined;
    throw error;
  }
}

export const loadTextFile = defineNode({
  name: 'Load Text File',
  displayName: 'Load Text File',
  category: 'WAS Suite/IO',
  description:
    'The lines of a file of the input folder (or output/NAME, temp/NAME) that do not begin with #; no text where there is no such file.',
  required: {
    file_path: string({ multiline: false }),
    dictionary_name: string({ default: '[filename]', multiline: false }),
  },
  optional: {},
  outputs: [
    { type: 'STRING', name: 'STRING' },
    { type: 'DICT', name: 'DICT' },
  ],
  fingerprint({ file_path = '' }, folders) {
    const path = pathOf(file_path, folders);
    return path === undefined ? '' : fileStamp(path);
  },
  async run({ file_path, dictionary_name }, { folders, warn }) {
    const base = file_path.slice(file_path.lastIndexOf('/') + 1);
    const name = dictionary_name === '[filename]' ? base.split('.', 1)[0]! : dictionary_name;
    const path = pathOf(file_path, folders);
    if (path === undefined) {
      warn(`no file ${JSON.stringify(shorten(file_path))} in the input folder: the text is empty`);
      return { outputs: ['', { [name]: [] }] };
    }
    const lines = linesOf(await readInputText(path)).filter((line) => !strip(line).startsWith('#'));
    return { outputs: [lines.join('\n'), { [name]: lines }] };
  },
});

/** As Python's `io.StringIO` parts a text, without line breaks. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.replaceAll('\r', ''));
}

export const textToConsole = defineNode({
  name: 'Text to Console',
  displayName: 'Text to Console',
  category: 'WAS Suite/Debug',
  description: 'Shows a text, and hands it on.',
  required: { text: part, label: string({ default: 'Text Output', multiline: false }) },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  outputNode: true,
  run: ({ text, label }) => ({
    outputs: [text],
    ui: { text: [`${strip(label) === '' ? 'Text to Console' : label}:\n${text}`] },
  }),
});

export const textRandomLine = defineNode({
  ...described,
  name: 'Text Random Line',
  displayName: 'Text Random Line',
  description: 'One line of a text, by a seed.',
  required: { text: part, seed: seed() },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ text, seed: given }) => ({ outputs: [new PythonRandom(given).choice(text.split('\n'))] }),
});

export const textFindAndReplace = defineNode({
  name: 'Text Find and Replace',
  displayName: 'Text Find and Replace',
  category: 'WAS Suite/Text/Search',
  description: 'Replaces what a regular expression matches, and counts how often.',
  required: {
    text: part,
    find: string({ multiline: false }),
    replace: string({ multiline: false }),
  },
  optional: {},
  outputs: [
    { type: 'STRING', name: 'result_text' },
    { type: NUMBER, name: 'replacement_count_number' },
    { type: 'FLOAT', name: 'replacement_count_float' },
    { type: 'INT', name: 'replacement_count_int' },
  ],
  run({ text, find, replace }) {
    const pattern = compileRegex(find);
    const count = findAll(pattern, text).length;
    return { outputs: [substitute(pattern, text, replace), count, count, count] };
  },
});

export const textListToText = defineNode({
  ...described,
  name: 'Text List to Text',
  displayName: 'Text List to Text',
  description: 'Joins the texts of a list.',
  required: { delimiter: string({ default: ', ' }), text_list: link(LIST, { forceInput: true }) },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ delimiter, text_list }) => ({
    outputs: [text_list.join(delimiter === '\\n' ? '\n' : delimiter)],
  }),
});
