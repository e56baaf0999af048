/** Nodes that packs have many of: a value handed on, one of two branches. */
import {
  boolean,
  defineControlNode,
  lazy,
  type AnyNodeClass,
  type InputSpec,
  type LinkInput,
  type OutputSpec,
  type StringInput,
} from '../public.js';

interface Named {
  readonly name: string;
  readonly displayName: string;
  readonly category: string;
  readonly description: string;
}

/** A whole number as nodes have it: a bigint where a double would lose digits. */
export function wholeNumber(value: number | bigint): number | bigint {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  return typeof value === 'bigint' ? value : BigInt(value);
}

/** A node that gives the value of its only input, a widget mostly. */
export function valueNode(named: Named, input: string, spec: InputSpec, output: OutputSpec): AnyNodeClass {
  return defineControlNode({
    ...named,
    required: { [input]: spec },
    optional: {},
    outputs: [output],
    run: (given) => ({ outputs: [(given as Readonly<Record<string, unknown>>)[input]] }),
  });
}

/** A node that gives `on_true` or `on_false`; what the other depends on isn't run. */
export function branchNode(named: Named, branch: LinkInput | StringInput, output: OutputSpec): AnyNodeClass {
  return defineControlNode({
    ...named,
    required: { on_true: lazy(branch), on_false: lazy(branch), boolean: boolean({ default: true }) },
    optional: {},
    outputs: [output],
    checkLazy({ boolean: on, on_true, on_false }) {
      if (on) return on_true === undefined ? ['on_true'] : [];
      return on_false === undefined ? ['on_false'] : [];
    },
    run: ({ boolean: on, on_true, on_false }) => ({ outputs: [on ? on_true : on_false] }),
  });
}
