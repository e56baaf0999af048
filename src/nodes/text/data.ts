/** Data as texts: filled into a template, read from JSON, written as JSON (ComfyUI comfy_extras/nodes_string.py). */
import { formatText } from '../../python/format.js';
import { parseData } from '../../python/json.js';
import { isDictionary, pythonJson, pythonStr, toPython, type PythonValue } from '../../python/value.js';
import { autogrow, defineNode, int, link, string } from '../definition.js';
import { describeValue } from '../describe-value.js';

const described = { category: 'text', optional: {} };
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('');

export const stringFormat = defineNode({
  ...described,
  name: 'StringFormat',
  displayName: 'Format Text',
  description: "Fills values into a text, as Python's format does: {a}, {b:.2f}, {c:>10}.",
  required: {
    values: autogrow(link('*'), LETTERS, { min: 0 }),
    f_string: string({ default: '{a}', multiline: true, tooltip: 'The text; {{ and }} are braces.' }),
  },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run({ values, f_string }, { receivedTypes }) {
    const known = Object.entries(values).map(([name, value]): [string, PythonValue] => [
      name,
      toPython(value, receivedTypes[`values.${name}`]) ?? describeValue(value),
    ]);
    return { outputs: [formatText(f_string, new Map(known))] };
  },
});

export const jsonExtractString = defineNode({
  ...described,
  name: 'JsonExtractString',
  displayName: 'Extract Text from JSON',
  description: 'One field of a JSON object as text; empty where there is none.',
  required: { json_string: string({ multiline: true }), key: string({ multiline: false }) },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run({ json_string, key }) {
    const data = parseData(json_string);
    const value = data !== undefined && isDictionary(data) ? data.get(key) : undefined;
    return { outputs: [value === undefined || value === null ? '' : pythonStr(value)] };
  },
});

const indent = int({ default: 2, min: 0, max: 8, tooltip: 'Spaces a level; 0 for one line.' });

function asJson(value: unknown, spaces: number): string {
  const data = toPython(value);
  if (data === undefined) throw new TypeError('it holds something that JSON has no form for');
  return pythonJson(data, { indent: spaces, ascii: false });
}

export const convertDictionaryToString = defineNode({
  ...described,
  name: 'ConvertDictionaryToString',
  displayName: 'Convert Dictionary to String',
  description: 'A dictionary as JSON.',
  required: { dictionary: link('DICT'), indent },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ dictionary, indent: spaces }) => ({ outputs: [asJson(dictionary, spaces)] }),
});

export const convertArrayToString = defineNode({
  ...described,
  name: 'ConvertArrayToString',
  displayName: 'Convert Array to String',
  description: 'A list as JSON.',
  required: { array: link('ARRAY'), indent },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ array, indent: spaces }) => ({ outputs: [asJson(array, spaces)] }),
});
