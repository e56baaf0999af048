import type { NodeWriter } from '../../lowering/onnx/nodes.js';

/** `groups` (T×N) as an index 1×N×T. */
export function groupIndex(nodes: NodeWriter, groups: string): string {
  const byRow = nodes.node('Transpose', [groups], { perm: [1, 0] });
  return nodes.node('Unsqueeze', [byRow, nodes.model.ints([0])]);
}
