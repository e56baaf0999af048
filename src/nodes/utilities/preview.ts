/** Any value as text (ComfyUI comfy_extras/nodes_preview_any.py). */
import { defineNode, link } from '../definition.js';
import { valueText } from '../describe-value.js';

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
    const text = valueText(source, receivedTypes['source'], 4);
    return { outputs: [text], ui: { text: [text] } };
  },
});
