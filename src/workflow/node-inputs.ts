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
      lists.set(name, values === undefined ? [undefined] : linkedValues(spec, values));
    }
  }
  for (const [name, { required }] of node.table.inputs) {
    if (required && !lists.has(name)) throw new TypeError(`its input ${name} is missing`);
  }
  for (const [name, kind] of Object.entries(node.nodeClass.hidden ?? {})) lists.set(name, [hidden(kind)]);
  return { lists, missing };
}

/** Values that a link brings, as an input of that kind has them. */
function linkedValues(spec: PlainInput | undefined, values: readonly unknown[]): readonly unknown[] {
  switch (spec?.kind) {
    case 'SEED':
      return values.map((value) =>
        typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.trunc(value)) : value,
      );
    case 'INT':
    case 'FLOAT':
      return values.map((value) =>
        typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : value,
      );
    default:
      return values;
  }
}

/** A call's inputs by name: values, or lists of them for a class that takes lists. */
export type CallInputs = Readonly<Record<string, unknown>>;

/**
 * The calls that inputs make: one with all of them as lists, or one for each value of the longest list, where shorter ones repeat
 * their last (execution.py, _async_map_node_over_list).
 */
export function callsOf(lists: GivenLists, inputIsList: boolean): readonly CallInputs[] {
  // Copies, for the lists are other nodes' results.
  if (inputIsList) return [Object.fromEntries([...lists].map(([name, values]) => [name, [...values]]))];
  let count = 0;
  for (const values of lists.values()) count = Math.max(count, values.length);
  // A node without inputs runs once.
  if (lists.size === 0) return [{}];
  for (const [name, values] of lists) {
    if (values.length === 0)
      throw new RangeError(`its input ${name} is an empty list, where a value is needed`);
  }
  const given = [...lists];
  return Array.from({ length: count }, (_, index) => {
    const inputs: Record<string, unknown> = {};
    for (const [name, values] of given) {
      const value = values[Math.min(index, values.length - 1)];
      if (name === '__proto__') Object.defineProperty(inputs, name, { value, enumerable: true });
      else inputs[name] = value;
    }
    return inputs;
  });
}
