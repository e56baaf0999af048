/**
 * Nodes that are the editor's alone, of ComfyUI and of packs: no workflow in the API format has them. What they pass on is
 * found by `resolve.ts`; that some mute others is in the file already, as the mode of these.
 */

/** They give out what goes in, slot by slot: Reroute of ComfyUI, rgthree-comfy and others. */
const PASSING = new Set(['Reroute', 'Reroute (rgthree)', 'SetNode', 'easy setNode', 'mxReroute']);

/** They give out what the node of that name takes in: KJNodes' and Easy-Use's. */
export const SETTER_OF: ReadonlyMap<string, string> = new Map([
  ['GetNode', 'SetNode'],
  ['easy getNode', 'easy setNode'],
]);

export const PRIMITIVE = 'PrimitiveNode';

const REMARKS = new Set([
  'Note',
  'MarkdownNote',
  'Label (rgthree)',
  'Bookmark (rgthree)',
  'Fast Muter (rgthree)',
  'Fast Bypasser (rgthree)',
  'Fast Groups Muter (rgthree)',
  'Fast Groups Bypasser (rgthree)',
  'Fast Actions Button (rgthree)',
  'Mute / Bypass Relay (rgthree)',
  'Mute / Bypass Repeater (rgthree)',
  'Random Unmuter (rgthree)',
  'Node Collector (rgthree)',
  'Node Combiner (rgthree)',
  'Anything Everywhere',
  'Anything Everywhere?',
  'Anything Everywhere3',
  'Prompts Everywhere',
]);

export function isPassing(type: string): boolean {
  return PASSING.has(type);
}

/** Whether nodes of a type run nowhere. */
export function isVirtual(type: string): boolean {
  return PASSING.has(type) || SETTER_OF.has(type) || REMARKS.has(type) || type === PRIMITIVE;
}
