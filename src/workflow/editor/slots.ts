/** The inputs and outputs that a node has in the editor, which bypassing depends on. */
import type { EditorInput, EditorNode, EditorOutput } from './graph.js';
import type { InfoOf } from './widgets.js';
import { layoutOf, typeText } from './widgets.js';

/** Types that stand for what is linked; the file says what that was. */
const OPEN = new Set(['*', 'COMFY_MATCHTYPE_V3']);

/** Inputs in the editor's order: those of the class first, whatever the order of the file, then what scripts have added. */
export function inputsOf(node: EditorNode, infoOf: InfoOf): readonly EditorInput[] {
  const info = infoOf(node.type);
  if (info === undefined) return node.inputs;
  const saved = new Map(node.inputs.map((input) => [input.name, input]));
  const own = layoutOf(node, info).sockets.map(({ name, type, widget }): EditorInput => {
    const input = saved.get(name);
    saved.delete(name);
    return {
      ...(input?.label !== undefined && { label: input.label }),
      name,
      type: OPEN.has(type) ? (input?.type ?? type) : type,
      link: input?.link,
      ...(widget !== undefined && { widget }),
    };
  });
  return [...own, ...saved.values()];
}

export function outputsOf(node: EditorNode, infoOf: InfoOf): readonly EditorOutput[] {
  const info = infoOf(node.type);
  if (info === undefined) return node.outputs;
  return info.output.map((type, index) => {
    const saved = node.outputs[index];
    const shown = typeText(type);
    return {
      name: info.output_name?.[index] ?? shown,
      ...(saved?.label !== undefined && { label: saved.label }),
      type: OPEN.has(shown) ? (saved?.type ?? shown) : shown,
    };
  });
}

/** litegraph's isValidConnection: types in lists, any type for none and `*`, without regard to case. */
export function isConnectable(one: string, other: string): boolean {
  const isAny = (type: string) => type === '' || type === '*' || type === '0';
  if (isAny(one) || isAny(other) || one === other) return true;
  const [first, second] = [one, other].map((type) => type.toLowerCase().split(','));
  return first!.some((type) => second!.some((wanted) => isAny(type) || isAny(wanted) || type === wanted));
}

/**
 * Which input a bypassed node gives out at a slot (litegraph's ExecutableNodeDTO, getBypassSlotIndex); undefined where none
 * is of the type.
 */
export function bypassedInput(
  inputs: readonly EditorInput[],
  outputs: readonly EditorOutput[],
  slot: number,
  wanted: string,
): EditorInput | undefined {
  if (wanted === '*' || wanted === '') return inputs[slot] ?? inputs[0];
  const type = outputs[slot]?.type ?? '*';
  const fits = (input: EditorInput) => isConnectable(input.type, type) && isConnectable(input.type, wanted);
  const opposite = inputs[slot];
  if (opposite !== undefined && fits(opposite)) return opposite;
  return inputs.find((input) => input.type === wanted) ?? inputs.find(fits);
}
