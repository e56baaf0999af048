/** All operations as one type, and what can be asked of any of them. */
import * as LIST from './operations/list.js';
import type { OperationDefinition } from './operations/definition.js';
import type { Value } from './value.js';
import type { Weight } from './weight.js';

type Listed = (typeof LIST)[keyof typeof LIST];
type DefinedBy<Definition> = Definition extends OperationDefinition<infer Op> ? Op : never;

/** What a node computes; operands are values, parameters are weights. */
export type Operation = DefinedBy<Listed>;

type MethodsOf<Builders> = {
  readonly [Name in keyof Builders]: Builders[Name] extends (graph: never, ...args: infer Args) => Value
    ? (...args: Args) => Value
    : never;
};
type AllOf<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** The methods of a graph under construction: `graph.conv2d(x, …)` adds a node and gives its result. */
export type OperationMethods = AllOf<MethodsOf<Listed['build']>>;

const definitions: ReadonlyMap<string, Listed> = new Map(
  Object.values<Listed>(LIST).map((definition) => [definition.kind, definition]),
);

/** What is said of an operation. */
export function definitionOf<Op extends Operation>(operation: Op): OperationDefinition<Op> {
  // The map pairs each kind with its own definition; TypeScript can't follow the pairing through a lookup by union.
  return definitions.get(operation.kind) as unknown as OperationDefinition<Op>;
}

/** Builders of all operations, by the names of their methods. */
export function operationBuilders(): readonly (readonly [
  name: string,
  build: (graph: never, ...args: never[]) => Value,
])[] {
  return [...definitions.values()].flatMap(({ build }) => Object.entries(build));
}

/** `upsample_nearest` has a number where it has no value. */
type Operand = Value | readonly Value[] | number;

/**
 * The fields of an operation that hold operands and weights, by their names. Which they are, TypeScript has checked where the
 * operation is defined.
 */
interface Held {
  readonly operands: Readonly<Record<string, Operand | undefined>>;
  readonly weights: Readonly<Record<string, Weight | undefined>>;
}

function heldBy(operation: Operation): Held {
  const fields = operation as unknown as Held['operands'] & Held['weights'];
  const picked = <Field>(names: object, all: Readonly<Record<string, Field>>) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, all[name]!]));
  const { operands, weights } = definitionOf(operation);
  return { operands: picked(operands, fields), weights: picked(weights, fields) };
}

/** The values that an operation reads, one as often as it is named. */
export function operandsOf(operation: Operation): readonly Value[] {
  return Object.values(heldBy(operation).operands).flatMap((operand) =>
    operand === undefined || typeof operand === 'number' ? [] : operand,
  );
}

/** The parameters of an operation. */
export function weightsOf(operation: Operation): readonly Weight[] {
  return Object.values(heldBy(operation).weights).filter((weight) => weight !== undefined);
}

/** The same operation on other values. */
export function withOperands(operation: Operation, change: (value: Value) => Value): Operation {
  const changed = Object.entries(heldBy(operation).operands).map(([name, operand]) => {
    if (operand === undefined || typeof operand === 'number') return [name, operand];
    return [name, 'id' in operand ? change(operand) : operand.map(change)];
  });
  return { ...operation, ...(Object.fromEntries(changed) as object) };
}
