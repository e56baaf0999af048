/** WAS Node Suite: texts and seeds. */
import {
  clipTextEncode,
  combo,
  defineControlNode,
  defineNode,
  link,
  seed,
  string,
  strip,
  type CustomType,
} from '../../public.js';

const described = { category: 'WAS Suite/Text', optional: {} };

/** `[time]` in a text is the second since 1970; tokens of the machine it runs on stay as they are. */
function withTokens(text: string): string {
  return text.replaceAll('[time]', String(Math.floor(Date.now() / 1000)));
}

/** A text with the time in it is another each time. */
const timed = (...texts: readonly (string | undefined)[]) =>
  texts.some((text) => text?.includes('[time') === true) ? String(Date.now()) : '';

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

/** What WAS's samplers take. */
interface WasSeed {
  readonly seed: number | bigint;
}

const SEED = 'SEED' as CustomType<WasSeed>;
const NUMBER = 'NUMBER' as CustomType<number | bigint>;

export const wasSeed = defineControlNode({
  name: 'Seed',
  displayName: 'Seed',
  category: 'WAS Suite/Number',
  description: 'A random seed for several nodes, in four forms.',
  required: { seed: seed() },
  optional: {},
  outputs: [
    { type: SEED, name: 'seed' },
    { type: NUMBER, name: 'number' },
    { type: 'FLOAT', name: 'float' },
    { type: 'INT', name: 'int' },
  ],
  run({ seed: given }) {
    const value = Number.isSafeInteger(Number(given)) ? Number(given) : given;
    return { outputs: [{ seed: value }, value, Number(given), value] };
  },
});
