/** Classes that ComfyUI itself has made do nothing (comfy_extras/nodes_nop.py). */
import { defineNode, link } from '../definition.js';

export const wanBlockSwap = defineNode({
  name: 'wanBlockSwap',
  displayName: 'wanBlockSwap',
  category: '',
  description: "Hands the model on: where weights lie is not a workflow's to say.",
  required: { model: link('MODEL', { tooltip: 'The model.' }) },
  optional: {},
  outputs: [{ type: 'MODEL', name: 'MODEL' }],
  run: ({ model }) => ({ outputs: [model] }),
});
