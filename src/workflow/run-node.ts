/** One node: its calls, and what they return (execution.py, get_output_from_returns and merge_result_data). */
import { shorten } from '../safe-text.js';
import { ExecutionBlocker, type AnyNodeClass, type NodeUi, type OutputSpec } from '../nodes/definition.js';
import type { NodeGraph } from '../nodes/node-graph.js';
import type { RunContext } from '../nodes/context.js';
import { EventLoopTurns } from './event-loop.js';
import type { NodeError } from './events.js';
import { nestInputs } from './input-table.js';
import { toJson, type Json } from './literal.js';
import { callsOf, type CallInputs, type GivenLists } from './node-inputs.js';
import { warningOfNaN } from './not-a-number.js';
import type { PlannedNode } from './plan.js';

/** What one call returned: a value for each output, or a graph whose results they are. */
export interface CallResult {
  readonly outputs: readonly unknown[];
  readonly expand?: NodeGraph;
}

export interface NodeReturn {
  readonly calls: readonly CallResult[];
  readonly ui: NodeUi | undefined;
}

/**
 * Runs a node, once or for each value of its lists. `blocked` is told of a blocker that it is given, and returns what it hands
 * on; `contextOf` makes the context of a call. Throws what the node throws, and `TypeError` when it returns other than its
 * class declares.
 */
export async function runNode(
  node: PlannedNode,
  lists: GivenLists,
  contextOf: (call: number) => RunContext,
  blocked: (blocker: ExecutionBlocker) => ExecutionBlocker,
): Promise<NodeReturn> {
  const { nodeClass, table } = node;
  const calls: CallResult[] = [];
  const uis: NodeUi[] = [];
  const turns = new EventLoopTurns();
  const names = nodeClass.outputs.map(({ name }) => name);
  const allInputs = callsOf(lists, nodeClass.inputIsList === true);
  for (let index = 0; index < allInputs.length; index++) {
    const inputs = allInputs[index]!;
    const context = contextOf(index);
    if (index > 0) {
      if (turns.due) await turns.take();
      context.signal.throwIfAborted();
    }
    const blocker = blockerIn(inputs, nodeClass.inputIsList === true);
    if (blocker !== undefined) {
      const handedOn = blocked(blocker);
      calls.push({ outputs: nodeClass.outputs.map(() => handedOn) });
      continue;
    }
    const returned: unknown = nodeClass.run(nestInputs(inputs, table) as never, context);
    const result = readReturn(nodeClass, isPromise(returned) ? await returned : returned);
    const warning = warningOfNaN(names, inputs, result.outputs);
    if (warning !== undefined) context.warn(warning);
    calls.push(result);
    if (result.ui !== undefined) uis.push(result.ui);
  }
  return { calls, ui: mergeUis(uis) };
}

/** Most small nodes return at once, and over lists there are thousands of calls. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Names of the lazy inputs that a node needs now, in any of its calls. */
export function lazyInputs(node: PlannedNode, lists: GivenLists): ReadonlySet<string> {
  const { nodeClass, table } = node;
  const names = callsOf(lists, nodeClass.inputIsList === true).flatMap(
    (inputs) => nodeClass.checkLazy?.(nestInputs(inputs, table) as never) ?? [],
  );
  return new Set(names);
}

function blockerIn(inputs: CallInputs, inputIsList: boolean): ExecutionBlocker | undefined {
  for (const value of Object.values(inputs)) {
    if (!inputIsList) {
      if (value instanceof ExecutionBlocker) return value;
      continue;
    }
    const blocker = (value as readonly unknown[]).find((item) => item instanceof ExecutionBlocker);
    if (blocker !== undefined) return blocker;
  }
  return undefined;
}

function readReturn(nodeClass: AnyNodeClass, returned: unknown): CallResult & { readonly ui?: NodeUi } {
  const { outputs, expand, ui } = (returned ?? {}) as Partial<CallResult> & {
    readonly outputs?: readonly unknown[] | ExecutionBlocker;
    readonly ui?: NodeUi;
  };
  const count = nodeClass.outputs.length;
  const values = outputs instanceof ExecutionBlocker ? nodeClass.outputs.map(() => outputs) : outputs;
  if (values === undefined || (expand === undefined && values.length !== count)) {
    throw new TypeError(
      `${nodeClass.name} declares ${count} outputs and returned ${values?.length ?? 'none'}`,
    );
  }
  return { outputs: values, ...(expand && { expand }), ...(ui && { ui }) };
}

/** The kinds of the first, each with what all calls left. */
function mergeUis(uis: readonly NodeUi[]): NodeUi | undefined {
  const [first, ...others] = uis;
  if (first === undefined || others.length === 0) return first;
  return Object.fromEntries(Object.keys(first).map((kind) => [kind, uis.flatMap((ui) => ui[kind] ?? [])]));
}

/** Each output's values over all calls, in their order; those of list outputs joined. Throws `TypeError` where one is no list. */
export function mergeCalls(
  nodeClass: AnyNodeClass,
  calls: readonly (readonly unknown[])[],
): readonly (readonly unknown[])[] {
  return nodeClass.outputs.map((output, slot) => {
    if (output.isList !== true) return calls.map((outputs) => outputs[slot]);
    return calls.flatMap((outputs) => {
      const value = outputs[slot];
      return value instanceof ExecutionBlocker ? [value] : listOf(nodeClass, output, value);
    });
  });
}

function listOf(nodeClass: AnyNodeClass, output: OutputSpec, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${nodeClass.name} declares ${output.name} as a list and returned none`);
}

/** Characters of what a node says or was given; what goes to clients, logs and the journal stays small. */
const MAX_TEXT = 4000;
/** Of a traceback, and values of a list. */
const MAX_LINES = 30;

/** What a node threw, with what it was given. `real` is the workflow's node that it belongs to. */
export function nodeError(
  node: PlannedNode,
  real: { readonly id: string; readonly class_type: string },
  lists: GivenLists,
  thrown: unknown,
): NodeError {
  const error = thrown instanceof Error ? thrown : undefined;
  const lines = error?.stack?.split('\n').map((line) => line.trim()) ?? [];
  return {
    node_id: real.id,
    node_type: real.class_type,
    ...(real.id !== node.id && { expanded_node: node.id, expanded_type: node.nodeClass.name }),
    exception_type: error?.name ?? typeof thrown,
    exception_message: shorten(error?.message ?? String(thrown), MAX_TEXT),
    traceback: lines
      .filter((line) => line.startsWith('at '))
      .slice(0, MAX_LINES)
      .map((line) => shorten(line)),
    current_inputs: Object.fromEntries(
      [...lists].map(([name, values]) => [name, values.slice(0, MAX_LINES).map(describeValue)]),
    ),
  };
}

/** ComfyUI's `execution_error` of a node that a blocker with a message reaches. */
export function blockedError(node: PlannedNode, message: string): NodeError {
  return {
    node_id: node.id,
    node_type: node.nodeClass.name,
    exception_type: 'ExecutionBlocked',
    exception_message: `Execution Blocked: ${message}`,
    traceback: [],
    current_inputs: {},
  };
}

function describeValue(value: unknown): Json {
  switch (typeof value) {
    case 'string':
      return shorten(value, MAX_TEXT);
    case 'boolean':
    case 'number':
    case 'bigint':
      return toJson(value);
    case 'undefined':
      return null;
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
  return shorten(`{${Object.keys(value).join(', ')}}`);
}
