/** One node: its arguments from constants and other nodes' results, its run, and what it returned. */
import type { RunContext } from '../nodes/context.js';
import type { AnyNodeClass, NodeUi } from '../nodes/definition.js';
import type { NodeError } from './events.js';
import { toJson, type Json } from './literal.js';
import type { CachedResult } from './result-cache.js';
import type { PlannedNode } from './validate.js';

export type NodeInputs = Readonly<Record<string, unknown>>;

/** The arguments of a node's `run`; an INT that comes over a link into a seed becomes a bigint. */
export function gatherInputs(node: PlannedNode, resultOf: (id: string) => CachedResult): NodeInputs {
  const { required, optional } = node.nodeClass;
  const values = [...node.inputs].map(([name, input]): [string, unknown] => {
    if (input.kind === 'constant') return [name, input.value];
    const value = resultOf(input.from).outputs[input.slot];
    const spec = required[name] ?? optional[name];
    return [name, spec?.kind === 'SEED' && typeof value === 'number' ? BigInt(Math.trunc(value)) : value];
  });
  return Object.fromEntries(values);
}

/** Runs a node. Throws what it throws, and `TypeError` when it returns other than its class declares. */
export async function runNode(
  nodeClass: AnyNodeClass,
  inputs: NodeInputs,
  context: RunContext,
): Promise<CachedResult> {
  const result = (await nodeClass.run(inputs as never, context)) as
    | {
        readonly outputs?: readonly unknown[];
        readonly ui?: NodeUi;
      }
    | undefined;
  const count = result?.outputs?.length;
  if (result?.outputs === undefined || count !== nodeClass.outputs.length) {
    throw new TypeError(
      `${nodeClass.name} declares ${nodeClass.outputs.length} outputs and returned ${count ?? 'none'}`,
    );
  }
  return { outputs: result.outputs, ui: result.ui };
}

/** What a node threw, with what it was given. */
export function nodeError(node: PlannedNode, inputs: NodeInputs, thrown: unknown): NodeError {
  const error = thrown instanceof Error ? thrown : undefined;
  const lines = error?.stack?.split('\n').map((line) => line.trim()) ?? [];
  return {
    node_id: node.id,
    node_type: node.nodeClass.name,
    exception_type: error?.name ?? typeof thrown,
    exception_message: error?.message ?? String(thrown),
    traceback: lines.filter((line) => line.startsWith('at ')),
    current_inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [name, describeValue(value)]),
    ),
  };
}

function describeValue(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
    case 'bigint':
      return toJson(value);
    case 'object':
      return value === null ? null : describeObject(value);
    default:
      return typeof value;
  }
}

/** `tensor [1, 4, 64, 64]` and the like; a list or an object by what it holds. */
function describeObject(value: object): string {
  const { shape, identity } = value as { readonly shape?: unknown; readonly identity?: unknown };
  if (Array.isArray(shape)) return `tensor [${shape.join(', ')}]`;
  if (typeof identity === 'string') return identity;
  if (Array.isArray(value)) return `list of ${value.length}`;
  return `{${Object.keys(value).join(', ')}}`;
}
