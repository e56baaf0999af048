/** ComfyUI-Custom-Scripts (pythongosssss): texts shown and changed, expressions. */
import {
  combo,
  compileRegex,
  defineNode,
  evaluate,
  link,
  MATH_FUNCTIONS,
  replaceText,
  string,
  strip,
  substitute,
  toPython,
  type Image,
  type Latent,
  type PythonFunction,
  type PythonValue,
} from '../../public.js';

const described = { category: 'utils' };

export const showText = defineNode({
  ...described,
  name: 'ShowText|pysssss',
  displayName: 'Show Text 🐍',
  description: 'Shows texts, and gives them on.',
  inputIsList: true,
  required: { text: string({ forceInput: true }) },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING', isList: true }],
  outputNode: true,
  run: ({ text }) => ({ outputs: [text], ui: { text } }),
});

const part = string({ multiline: true });

export const stringFunction = defineNode({
  ...described,
  name: 'StringFunction|pysssss',
  displayName: 'String Function 🐍',
  description:
    'Joins texts, or replaces one in another: a regular expression where it stands between slashes.',
  required: {
    action: combo(['append', 'replace']),
    tidy_tags: combo(['yes', 'no'], { tooltip: 'Whether commas and white space are put in order.' }),
  },
  optional: { text_a: part, text_b: part, text_c: part },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  outputNode: true,
  run({ action, tidy_tags, text_a = '', text_b = '', text_c = '' }) {
    const tidy = tidy_tags === 'yes';
    const joined =
      action === 'append'
        ? [text_a, text_b, text_c].filter((text) => text !== '').join(tidy ? ', ' : '')
        : replaced(text_a, text_b, text_c);
    const text = tidy ? tidied(joined) : joined;
    return { outputs: [text], ui: { text: [text] } };
  },
});

function replaced(text: string, find: string, replacement: string): string {
  if (!find.startsWith('/') || !find.endsWith('/')) return replaceText(text, find, replacement);
  return substitute(compileRegex(find.slice(1, -1)), text, replacement);
}

function tidied(text: string): string {
  const spaced = substitute(compileRegex(String.raw`\s{2,}`), text, ' ').replaceAll(' ,', ',');
  return strip(spaced.replace(/,{2,}/g, ','));
}

const anything = link('*', { tooltip: 'A number; of images and latents, write a.width and a.height.' });

const FUNCTIONS: Readonly<Record<string, PythonFunction>> = {
  round: MATH_FUNCTIONS['round']!,
  ceil: MATH_FUNCTIONS['ceil']!,
  floor: MATH_FUNCTIONS['floor']!,
  min: MATH_FUNCTIONS['min']!,
  max: MATH_FUNCTIONS['max']!,
  sqrt: MATH_FUNCTIONS['sqrt']!,
  int: MATH_FUNCTIONS['int']!,
  iif: (value = null, then = null, otherwise = null) => (Number(value) !== 0 ? then : otherwise),
  randomint: (low = 0n, high = 0n) => {
    const [from, to] = [Number(low), Number(high)];
    if (!(from <= to)) throw new RangeError(`randomint: ${from} is above ${to}`);
    return BigInt(from + Math.floor(Math.random() * (to - from + 1)));
  },
  randomchoice: (...values) => values[Math.floor(Math.random() * values.length)] ?? null,
};

export const mathExpression = defineNode({
  ...described,
  name: 'MathExpression|pysssss',
  displayName: 'Math Expression 🐍',
  description: 'Computes an expression over a, b and c, and over inputs of other nodes of the workflow.',
  required: {
    expression: string({
      multiline: true,
      tooltip: `Operators, comparisons, ${Object.keys(FUNCTIONS).join(', ')}; Title.input for an input of another node.`,
    }),
  },
  optional: { a: anything, b: anything, c: anything },
  hidden: { extra_pnginfo: 'EXTRA_PNGINFO', prompt: 'PROMPT' },
  outputs: [
    { type: 'INT', name: 'INT' },
    { type: 'FLOAT', name: 'FLOAT' },
  ],
  outputNode: true,
  fingerprint: ({ expression = '' }) => (expression.includes('random') ? String(Math.random()) : expression),
  run({ expression, extra_pnginfo, prompt, ...operands }, { receivedTypes }) {
    const given: Readonly<Record<string, unknown>> = operands;
    const names = new Map<string, PythonValue>();
    // Names that are no numbers stand for themselves, until a field of them is asked for.
    for (const [, name = ''] of expression.matchAll(/([\p{L}_][\p{L}\p{N}_]*)\s*\./gu))
      names.set(name, new Map([['', name]]));
    for (const [name, value] of Object.entries(given)) {
      const known = toPython(value, receivedTypes[name]);
      const isNumber = typeof known === 'number' || typeof known === 'bigint' || typeof known === 'boolean';
      names.set(name, isNumber ? known : new Map([['', name]]));
    }
    const attribute = (object: PythonValue, field: string): PythonValue => {
      const name = object instanceof Map ? String(object.get('')) : '';
      if (name in given && (field === 'width' || field === 'height')) return sideOf(given[name], field);
      return fieldOf(name, field, extra_pnginfo, prompt);
    };
    const plain = expression.replaceAll('\n', ' ').replaceAll('\r', '');
    const result = evaluate(plain, { names, functions: FUNCTIONS, attribute, logicGivesNumbers: true });
    const number = typeof result === 'string' ? Number.NaN : Number(result);
    if (!Number.isFinite(number) || (typeof result === 'object' && result !== null)) {
      throw new TypeError(
        'the expression gives no finite number; write a.width or a.height of images and latents',
      );
    }
    return { outputs: [Math.trunc(number), number], ui: { value: [number] } };
  },
});

function sideOf(value: unknown, side: 'width' | 'height'): PythonValue {
  const { samples, shape } = value as Partial<Latent & Image>;
  const [height, width] =
    samples === undefined ? [shape?.[1], shape?.[2]] : samples.shape.slice(2).map((each) => each * 8);
  const length = side === 'width' ? width : height;
  if (length === undefined) throw new TypeError(`a ${side} is asked of what has none`);
  return BigInt(length);
}

interface EditorNode {
  readonly id: string | number;
  readonly type?: string;
  readonly title?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** An input of the first node of the editor's workflow that has this name, title or type. */
function fieldOf(
  name: string,
  field: string,
  extra: Readonly<Record<string, unknown>> | undefined,
  prompt: Readonly<Record<string, unknown>>,
): PythonValue {
  const { nodes = [] } = (extra?.['workflow'] ?? {}) as { readonly nodes?: readonly EditorNode[] };
  const node = nodes.find(
    ({ type, title, properties }) => (properties?.['Node name for S&R'] ?? type) === name || title === name,
  );
  if (node === undefined) throw new RangeError(`there is no node ${name} for ${name}.${field}`);
  const { inputs } = prompt[String(node.id)] as { readonly inputs?: Readonly<Record<string, unknown>> };
  const value = toPython(inputs?.[field]);
  if (value === undefined || value === null || Array.isArray(value)) {
    throw new RangeError(`the node ${name} has no value ${field} of its own`);
  }
  return value;
}
