/** Lists (ComfyUI comfy_extras/nodes_toolkit.py). */
import { autogrow, defineNode, match, matchOutput } from '../definition.js';

export const createList = defineNode({
  name: 'CreateList',
  displayName: 'Create List',
  category: 'utilities',
  description: 'Values, and the items of lists, as one list: nodes that it is linked to run once for each.',
  inputIsList: true,
  required: { inputs: autogrow(match('type'), { prefix: 'input', max: 10 }) },
  optional: {},
  outputs: [{ ...matchOutput('type', 'list'), isList: true }],
  run: ({ inputs }) => ({
    outputs: [Object.values(inputs as unknown as Readonly<Record<string, readonly unknown[]>>).flat(1)],
  }),
});
