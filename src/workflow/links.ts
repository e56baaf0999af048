/** The workflow as a graph: which node an input comes from, and what can be reached that way. */
import type { AnyNodeClass } from '../nodes/definition.js';
import { inputTable } from './input-table.js';
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
  const known = nodeClass && nodeClass.takesMore !== true && inputTable(nodeClass, node.inputs).inputs;
  for (const [input, value] of node.inputs) {
    if (known && !known.has(input)) continue;
    const from: unknown = Array.isArray(value) && value.length === 2 ? value[0] : undefined;
    if (typeof from === 'string' && nodes.has(from)) edges.push({ input, from });
  }
  return edges;
}

export interface Reached {
  /** Every node reached, each after all that it depends on (but for cycles). */
  readonly nodes: readonly string[];
  /**
   * The first cycles found, as ids against the links' data, the first one repeated at the end: 3 takes from 8 takes from 3. In
   * a workflow of n links there may be n of them, each as long as its nodes are many.
   */
  readonly cycles: readonly (readonly string[])[];
  /** How many there are. */
  readonly cycleCount: number;
  /** A node of each. */
  readonly closed: ReadonlySet<string>;
}

/** Cycles whose paths are told. */
const MAX_PATHS = 20;

/** Depth first from `roots` against the direction of the data; workflows may be thousands of nodes deep. */
export function reachable(roots: readonly string[], edgesOf: (id: string) => readonly Edge[]): Reached {
  const nodes: string[] = [];
  const cycles: (readonly string[])[] = [];
  let cycleCount = 0;
  const closed = new Set<string>();
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
        closed.add(edge.from);
        if (cycleCount++ >= MAX_PATHS) continue;
        const ids = stack.map(({ id }) => id);
        cycles.push([...ids.slice(ids.indexOf(edge.from)), edge.from]);
      } else if (!finished.has(edge.from)) {
        stack.push({ id: edge.from, edges: edgesOf(edge.from), next: 0 });
        open.add(edge.from);
      }
    }
  }
  return { nodes, cycles, cycleCount, closed };
}
