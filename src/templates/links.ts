/** Following a workflow's links, towards where values come from. */
import type { Literal } from '../workflow/literal.js';
import type { Workflow, WorkflowNode } from '../workflow/parse.js';

export type Nodes = Workflow['nodes'];

export function isLink(value: Literal | undefined): value is readonly [string, bigint] {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'bigint'
  );
}

/** The node that an input is linked to. */
export function linkedNode(nodes: Nodes, node: WorkflowNode, input: string): WorkflowNode | undefined {
  const value = node.inputs.get(input);
  return isLink(value) ? nodes.get(value[0]) : undefined;
}

/**
 * Every node that feeds `node`, near ones first: through the inputs `from`, and from there on through `through`, or through
 * every input when that is left out. Goes no further than nodes for which `isEnd` holds.
 */
export function* upstream(
  nodes: Nodes,
  node: WorkflowNode,
  from: readonly string[],
  through?: readonly string[],
  isEnd: (node: WorkflowNode) => boolean = () => false,
): Generator<WorkflowNode> {
  const sources = (target: WorkflowNode, inputs: Iterable<string>) =>
    [...inputs].flatMap((input) => linkedNode(nodes, target, input) ?? []);
  const seen = new Set<string>();
  const waiting = sources(node, from);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (seen.has(next.id)) continue;
    seen.add(next.id);
    yield next;
    if (!isEnd(next)) waiting.push(...sources(next, through ?? next.inputs.keys()));
  }
}
