/** Any value as text (ComfyUI comfy_extras/nodes_preview_any.py). */
import { pythonFloat } from '../../python-float.js';
import { defineNode, link } from '../definition.js';

export const previewAny = defineNode({
  name: 'PreviewAny',
  displayName: 'Preview as Text',
  category: 'utilities',
  description: 'Shows any value as text: pictures, latents and models by their form.',
  required: { source: link('*') },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  outputNode: true,
  run({ source }, { receivedTypes }) {
    const text = asText(source, receivedTypes['source'] === 'FLOAT');
    return { outputs: [text], ui: { text: [text] } };
  },
});

/** Python's `str` of single values, its `json.dumps(indent=4)` of lists and dictionaries. */
function asText(value: unknown, isFloat: boolean): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return isFloat || !Number.isInteger(value) ? pythonFloat(value) : String(value);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 'True' : 'False';
    default:
      return value === null || value === undefined ? 'None' : objectText(value);
  }
}

function objectText(value: object): string {
  const { shape, identity } = value as { readonly shape?: unknown; readonly identity?: unknown };
  if (Array.isArray(shape)) return `tensor [${shape.join(', ')}]`;
  if (typeof identity === 'string') return identity;
  try {
    const json = JSON.stringify(value, onlyPlain, 4);
    return json.replace(
      /[\u007f-\uffff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  } catch {
    return `{${Object.keys(value).join(', ')}}`;
  }
}

/** Throws for what JSON would show as something else. */
function onlyPlain(_: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Object.prototype || 'shape' in value)
      throw new TypeError('no plain data');
  }
  return value;
}
