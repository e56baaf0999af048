/** Texts to files (ComfyUI comfy_extras/nodes_text.py). */
import { parseData } from '../../python/json.js';
import { pythonJson } from '../../python/value.js';
import { combo, defineNode, string } from '../definition.js';
import { openSeries, saveNumbered } from '../files/output-files.js';

export const saveText = defineNode({
  name: 'SaveText',
  displayName: 'Save Text',
  category: 'text',
  description: 'Saves a text into the output folder; JSON is set in lines where it is sound.',
  required: {
    text: string({ forceInput: true }),
    filename_prefix: string({
      default: 'ComfyUI',
      tooltip: 'What file names begin with; may hold subfolders.',
    }),
    format: combo(['txt', 'md', 'json'], { default: 'txt' }),
  },
  optional: {},
  outputs: [{ type: 'STRING', name: 'text', tooltip: 'The text, as it came.' }],
  outputNode: true,
  async run({ text, filename_prefix, format }, { folders }) {
    const series = await openSeries('output', folders.output, filename_prefix, { width: 1, height: 1 });
    const data = format === 'json' ? parseData(text) : undefined;
    const content = data === undefined ? text : pythonJson(data, { indent: 2, ascii: false });
    const numbering = { counter: series.counter, batch: 0, extension: `.${format}`, separator: '' } as const;
    const { file } = await saveNumbered(series, numbering, new TextEncoder().encode(content));
    return { outputs: [text], ui: { text: [text], files: [file] } };
  },
});
