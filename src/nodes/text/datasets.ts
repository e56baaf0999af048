/**
 * Captions changed for data sets (ComfyUI comfy_extras/nodes_dataset.py). ComfyUI's give a list with the text in it, which no node
 * takes for a text; these give the text.
 */
import { replaceText, sliceText, strip } from '../../python/text.js';
import { defineNode, int, string } from '../definition.js';

const category = 'text';
const texts = string({ tooltip: 'The text.' });
const outputs = [{ type: 'STRING', name: 'texts' }] as const;

export const addTextPrefix = defineNode({
  name: 'AddTextPrefix',
  displayName: 'Add Text Prefix (DEPRECATED)',
  category,
  description: 'Puts something before a text.',
  required: { texts, prefix: string({ tooltip: 'What comes before.' }) },
  optional: {},
  outputs,
  run: ({ texts: text, prefix }) => ({ outputs: [prefix + text] }),
});

export const addTextSuffix = defineNode({
  name: 'AddTextSuffix',
  displayName: 'Add Text Suffix (DEPRECATED)',
  category,
  description: 'Puts something after a text.',
  required: { texts, suffix: string({ tooltip: 'What comes after.' }) },
  optional: {},
  outputs,
  run: ({ texts: text, suffix }) => ({ outputs: [text + suffix] }),
});

export const replaceTextNode = defineNode({
  name: 'ReplaceText',
  displayName: 'Replace Text (DEPRECATED)',
  category,
  description: 'Replaces something in a text.',
  required: {
    texts,
    find: string({ tooltip: 'What is replaced.' }),
    replace: string({ tooltip: 'By what.' }),
  },
  optional: {},
  outputs,
  run: ({ texts: text, find, replace }) => ({ outputs: [replaceText(text, find, replace)] }),
});

export const stripWhitespace = defineNode({
  name: 'StripWhitespace',
  displayName: 'Strip Whitespace (DEPRECATED)',
  category,
  description: 'Leaves out white space around a text.',
  required: { texts },
  optional: {},
  outputs,
  run: ({ texts: text }) => ({ outputs: [strip(text)] }),
});

export const textToLowercase = defineNode({
  name: 'TextToLowercase',
  displayName: 'Convert Text to Lowercase (DEPRECATED)',
  category,
  description: 'A text in small letters.',
  required: { texts },
  optional: {},
  outputs,
  run: ({ texts: text }) => ({ outputs: [text.toLowerCase()] }),
});

export const textToUppercase = defineNode({
  name: 'TextToUppercase',
  displayName: 'Convert Text to Uppercase (DEPRECATED)',
  category,
  description: 'A text in capitals.',
  required: { texts },
  optional: {},
  outputs,
  run: ({ texts: text }) => ({ outputs: [text.toUpperCase()] }),
});

export const truncateText = defineNode({
  name: 'TruncateText',
  displayName: 'Truncate Text',
  category,
  description: 'The beginning of a text.',
  required: { texts, max_length: int({ default: 77, min: 1, max: 10000, tooltip: 'Characters.' }) },
  optional: {},
  outputs,
  run: ({ texts: text, max_length }) => ({ outputs: [sliceText(text, 0, max_length)] }),
});
