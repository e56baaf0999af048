/** Pictures shown on their way, and switches (modules/impact/bridge_nodes.py, util_nodes.py). */
import {
  boolean,
  combo,
  defineControlNode,
  defineNode,
  ExecutionBlocker,
  int,
  lazy,
  link,
  saveImages,
  string,
  tensor,
} from '../../public.js';

const described = { category: 'ImpactPack/Util' };

export const previewBridge = defineControlNode({
  ...described,
  name: 'PreviewBridge',
  displayName: 'Preview Bridge (Image)',
  description: 'Shows images and gives them on; the mask that an editor draws on them is empty here.',
  outputNode: true,
  required: { images: link('IMAGE'), image: string() },
  optional: {
    block: boolean({ default: false, tooltip: 'Ends the run here while no mask was drawn.' }),
    restore_mask: combo(['never', 'always', 'if_same_size'], { tooltip: 'Makes no difference.' }),
  },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  async run({ images, block = false }, context) {
    const saving = { type: 'temp', prefix: 'PreviewBridge/PB-', compressionLevel: 1 } as const;
    const ui = { images: await saveImages(images, saving, context) };
    if (block) return { outputs: [new ExecutionBlocker(), new ExecutionBlocker()], ui };
    return { outputs: [images, tensor([1, 64, 64])], ui };
  },
});

/** An editor's node, as far as its inputs have names of their own. */
interface EditorNode {
  readonly id: number | string;
  readonly inputs?: readonly { readonly name: string; readonly label?: string }[];
}

export const impactSwitch = defineNode({
  ...described,
  name: 'ImpactSwitch',
  displayName: 'Switch (Any)',
  description: 'Gives one of its inputs on, by its number.',
  required: {
    select: int({ default: 1, min: 1, max: 999999, step: 1, tooltip: 'The number of the input.' }),
    sel_mode: boolean({ default: false, tooltip: 'Makes no difference.' }),
  },
  optional: { input1: lazy(link('*')) },
  hidden: { unique_id: 'UNIQUE_ID', extra_pnginfo: 'EXTRA_PNGINFO' },
  takesMore: true,
  outputs: [
    { type: '*', name: 'selected_value' },
    { type: 'STRING', name: 'selected_label' },
    { type: 'INT', name: 'selected_index' },
  ],
  checkLazy: ({ select, input1 }) => (select === 1 && input1 === undefined ? ['input1'] : []),
  run({ select, unique_id, extra_pnginfo, ...given }) {
    const name = `input${select}`;
    const inputs = given as Readonly<Record<string, unknown>>;
    if (!(name in inputs)) return { outputs: [null, '', select] };
    return { outputs: [inputs[name], labelOf(extra_pnginfo, unique_id, name) ?? name, select] };
  },
});

function labelOf(info: unknown, id: string, name: string): string | undefined {
  const { workflow } = (info ?? {}) as { readonly workflow?: { readonly nodes?: readonly EditorNode[] } };
  const node = workflow?.nodes?.find((each) => String(each.id) === id);
  return node?.inputs?.find((slot) => slot.name === name)?.label;
}
