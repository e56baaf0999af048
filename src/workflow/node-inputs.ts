/** What a node is given: each input as a list of values, and the calls that they make (execution.py, get_input_data). */
import type { HiddenName, HiddenTypes } from '../nodes/hidden.js';
import type { PlainInput } from '../nodes/definition.js';
import type { CachedResult } from './result-cache.js';
import type { PlannedNode } from './plan.js';

export type GivenLists = ReadonlyMap<string, readonly unknown[]>;

export interface GatheredInputs {
  readonly lists: GivenLists;
  /** Lazy inputs that aren't evaluated yet; they are lists of undefined. */
  readonly missing: ReadonlySet<string>;
}

/**
 * A node's inputs. An INT that comes over a link into a seed becomes a bigint. Throws for inputs that must be there and aren't,
 * which an expanded node may lack, and for values that can't be what they ought to.
 */
export function gatherInputs(
  node: PlannedNode,
  resultOf: (id: string) => CachedResult | undefined,
  hidden: (name: HiddenName) => HiddenTypes[HiddenName],
): GatheredInputs {
  const lists = new Map<string, readonly unknown[]>();
  const missing = new Set<string>();
  for (const [name, input] of node.inputs) {
    const spec = node.table.inputs.get(name)?.spec;
    if (input.kind === 'constant') {
      lists.set(name, [input.value]);
    } else if (spec?.kind === 'LINK' && spec.rawLink === true) {
      lists.set(name, [[input.from, input.slot]]);
    } else {
      const values = resultOf(input.from)?.outputs[input.slot];
      if (values === undefined) missing.add(name);
      lists.set(name, values === undefined ? [undefined] : values.map((value) => linked(spec, value)));
    }
  }
  for (const [name, { required }] of node.table.inputs) {
    if (required && !lists.has(name)) throw new TypeError(`its input ${name} is missing`);
  }
  for (const [name, kind] of Object.entries(node.nodeClass.hidden ?? {})) lists.set(name, [hidden(kind)]);
  return { lists, missing };
}

/** A value that a link brings, as an input of that kind has it. */
function linked(spec: PlainInput | undefined, value: unknown): unknown {
  switch (spec?.kind) {
    case 'SEED':
      return typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.trunc(value)) : value;
    case 'INT':
    case 'FLOAT':
      return typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : value;
    default:
      return value;
  }
}

/**
 * The calls that inputs make: one with all of them as lists, or one for each value of the longest list, where shorter ones repeat
 * their last (execution.py, _async_map_node_over_list).
 */
export function callsOf(lists: GivenLists, inputIsList: boolean): readonly ReadonlyMap<string, unknown>[] {
  if (inputIsList) return [lists];
  const count = Math.max(0, ...[...lists.values()].map((values) => values.length));
  // A node without inputs runs once.
  if (count === 0 && lists.size === 0) return [new Map()];
  const empty = [...lists].find(([, values]) => values.length === 0);
  if (empty !== undefined)
    throw new RangeError(`its input ${empty[0]} is an empty list, where a value is needed`);
  return Array.from(
    { length: count },
    (_, index) =>
      new Map([...lists].map(([name, values]) => [name, values[Math.min(index, values.length - 1)]])),
  );
}
