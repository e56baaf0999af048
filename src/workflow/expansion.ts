/** Nodes that a node expands into: from the graph that it returned to nodes of the run, and from their results to its own. */
import { isGraphLink } from '../nodes/node-graph.js';
import type { NodeRegistry } from '../nodes/index.js';
import { nearestHint } from '../nearest-names.js';
import { inputTable } from './input-table.js';
import type { PlannedNode } from './plan.js';
import type { PlannedInput } from './planned-input.js';
import type { CachedResult } from './result-cache.js';
import type { CallResult } from './run-node.js';

/** A graph that can't be run. */
export class ExpansionError extends Error {
  override readonly name = 'ExpansionError';
}

export interface ExpandedNode {
  readonly node: PlannedNode;
  /** Shown as the one at work; the expanding node when left out. */
  readonly display: string | undefined;
}

/**
 * The nodes of the graphs that a node's calls returned. As in ComfyUI they aren't validated: nodes know what they give to others.
 * Throws `ExpansionError` for what could only fail later and worse: unknown classes, and links to what isn't there.
 */
export function expandedNodes(
  calls: readonly CallResult[],
  registry: NodeRegistry,
  nodeOf: (id: string) => PlannedNode | undefined,
): readonly ExpandedNode[] {
  const graphs = calls.flatMap(({ expand }) => (expand === undefined ? [] : Object.entries(expand)));
  const classes = new Map(graphs.map(([id, { class_type }]) => [id, registry.get(class_type)]));
  const outputsOf = (id: string) => (classes.get(id) ?? nodeOf(id)?.nodeClass)?.outputs;
  const checkLink = ([from, slot]: readonly [string, number], where: string) => {
    const outputs = outputsOf(from);
    if (outputs?.[slot] !== undefined) return;
    const what = outputs === undefined ? `there is no node ${from}` : `node ${from} has no output ${slot}`;
    throw new ExpansionError(`the graph that it expands into can't run: ${where}: ${what}`);
  };
  for (const { outputs, expand } of calls) {
    if (expand === undefined) continue;
    for (const output of outputs) if (isGraphLink(output)) checkLink(output, 'its outputs');
  }
  return graphs.map(([id, graphNode]) => {
    const nodeClass = classes.get(id);
    if (nodeClass === undefined) {
      const hint = nearestHint(graphNode.class_type, registry.keys());
      throw new ExpansionError(
        `the graph that it expands into can't run: node ${id}: there is no node class ${graphNode.class_type}${hint}`,
      );
    }
    const given = new Map(Object.entries(graphNode.inputs));
    const table = inputTable(nodeClass, given);
    const inputs = new Map<string, PlannedInput>();
    for (const [name, value] of given) {
      const spec = table.inputs.get(name)?.spec;
      if (spec === undefined && nodeClass.takesMore !== true) continue;
      if (isGraphLink(value)) {
        checkLink(value, `node ${id} (${graphNode.class_type}), ${name}`);
        inputs.set(name, { kind: 'link', from: value[0], slot: value[1] });
      } else {
        const seed = spec?.kind === 'SEED' && typeof value === 'number' && Number.isInteger(value);
        inputs.set(name, { kind: 'constant', value: seed ? BigInt(value) : value });
      }
    }
    return { node: { id, nodeClass, inputs, table }, display: graphNode.override_display_id };
  });
}

/** The nodes whose results an expanding node's outputs are. */
export function expansionSources(calls: readonly CallResult[]): readonly string[] {
  const sources = calls.flatMap(({ outputs, expand }) =>
    expand === undefined ? [] : outputs.filter(isGraphLink).map(([id]) => id),
  );
  return [...new Set(sources)];
}

/**
 * The outputs of an expanding node's calls, when the nodes that they are linked to have run. As in ComfyUI (execution.py,
 * execute), an output that brings a list takes as many places as it has values.
 */
export function expansionOutputs(
  calls: readonly CallResult[],
  count: number,
  resultOf: (id: string) => CachedResult | undefined,
): readonly (readonly unknown[])[] {
  return calls.map(({ outputs, expand }) => {
    if (expand === undefined) return outputs;
    const resolved = outputs.flatMap((output) =>
      isGraphLink(output) ? (resultOf(output[0])?.outputs[output[1]] ?? []) : [output],
    );
    if (resolved.length < count) {
      throw new ExpansionError(
        `it declares ${count} outputs, and the graph that it expands into gives ${resolved.length}`,
      );
    }
    return resolved;
  });
}
