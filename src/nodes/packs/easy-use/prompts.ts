/** Texts of prompts. */
import { boolean, defineNode, int, string, strip } from '../../public.js';
import { valueNode } from '../pass-on.js';

const category = 'EasyUse/Prompt';
const text = string({ multiline: true });

const promptNode = (name: 'positive' | 'negative', displayName: string) =>
  valueNode({ name: `easy ${name}`, displayName, category, description: 'A prompt.' }, name, text, {
    type: 'STRING',
    name,
  });

export const easyPositive = promptNode('positive', 'Positive');
export const easyNegative = promptNode('negative', 'Negative');

export const promptLine = defineNode({
  name: 'easy promptLine',
  displayName: 'PromptLine',
  category,
  description: 'Lines of a text, one by one.',
  required: {
    prompt: string({ multiline: true, default: 'text' }),
    start_index: int({ default: 0, min: 0, max: 9999 }),
    max_rows: int({ default: 1000, min: 1, max: 9999 }),
    remove_empty_lines: boolean({ default: true }),
  },
  optional: {},
  outputs: [
    { type: 'STRING', name: 'STRING', isList: true },
    { type: 'COMBO', name: 'COMBO', isList: true },
  ],
  run({ prompt, start_index, max_rows, remove_empty_lines }) {
    const all = prompt.split('\n');
    const lines = remove_empty_lines ? all.filter((line) => strip(line) !== '') : all;
    const start = Math.max(0, Math.min(start_index, lines.length - 1));
    const rows = lines.slice(start, start + max_rows);
    return { outputs: [rows, rows] };
  },
});
