/** The workflow as a graph: which node an input comes from, and what can be reached that way. */
import type { AnyNodeClass } from '../nodes/definition.js';
import type { WorkflowNode } from './parse.js';

export interface Edge {
  /** The input through which it goes. */
  readonly input: string;
  /** Id of the node that gives it. */
  readonly from: string;
}

/**
 * The nodes that a node's inputs are linked to, those that exist, in the order of its inputs. Inputs that its class doesn't
 * know don't count; all do when the class itself is unknown.
 */
export function linksOf(
  node: WorkflowNode,
  nodeClass: AnyNodeClass | undefined,
  nodes: ReadonlyMap<string, unknown>,
): readonly Edge[] {
  const edges: Edge[] = [];
  for (const [input, value] of node.inputs) {
    if (nodeClass !== undefined && !isInput(nodeClass, input)) continue;
    const from: unknown = Array.isArray(value) && value.length === 2 ? value[0] : undefined;
    if (typeof from === 'string' && nodes.has(from)) edges.push({ input, from });
  }
  return edges;
}

function isInput(nodeClass: AnyNodeClass, name: string): boolean {
  return (
    nodeClass.takesMore === true ||
    Object.hasOwn(nodeClass.required, name) ||
    Object.hasOwn(nodeClass.optional, name)
  );
}

export interface Cycle {
  /** The link that closes it, an input of the path's first node. */
  readonly closing: Edge;
  /** Ids along the links' data, first node repeated at the end: 3 gives to 8 gives to 3. */
  readonly path: readonly string[];
}

export interface Reached {
  /** Every node reached, each after all that it depends on (but for cycles). */
  readonly nodes: readonly string[];
  /** The first cycles found: in a workflow of n links there may be n of them, each as long as its nodes are many. */
  readonly cycles: readonly Cycle[];
  /** How many there are. */
  readonly cycleCount: number;
}

/** Cycles whose paths are told. */
const MAX_PATHS = 20;

/** Depth first from `roots` against the direction of the data; workflows may be thousands of nodes deep. */
export function reachable(roots: readonly string[], edgesOf: (id: string) => readonly Edge[]): Reached {
  const nodes: string[] = [];
  const cycles: Cycle[] = [];
  let cycleCount = 0;
  const finished = new Set<string>();
  const open = new Set<string>();
  for (const root of roots) {
    if (finished.has(root)) continue;
    const stack = [{ id: root, edges: edgesOf(root), next: 0 }];
    open.add(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const edge = top.edges[top.next++];
      if (edge === undefined) {
        open.delete(top.id);
        finished.add(top.id);
        nodes.push(top.id);
        stack.pop();
      } else if (open.has(edge.from)) {
        if (cycleCount++ >= MAX_PATHS) continue;
        const ids = stack.map(({ id }) => id);
        const loop = ids.slice(ids.indexOf(edge.from));
        cycles.push({ closing: edge, path: [...loop.reverse(), top.id] });
      } else if (!finished.has(edge.from)) {
        stack.push({ id: edge.from, edges: edgesOf(edge.from), next: 0 });
        open.add(edge.from);
      }
    }
  }
  return { nodes, cycles, cycleCount };
}
