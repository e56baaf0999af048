import { describe, expect, it } from 'vitest';
import { nodeClasses } from '../../src/nodes/index.js';
import type { RunContext } from '../../src/nodes/context.js';
import { referenceCases } from '../support/reference-cases.js';
import { differences, readValue, type Written } from '../support/reference-values.js';

interface NodeCase {
  readonly node: string;
  readonly inputs: Readonly<Record<string, Written>>;
  readonly outputs: readonly Written[];
}

const { cases, tensor } = referenceCases<NodeCase>('nodes/cases.safetensors');
const tested = [...new Set(cases.map(({ node }) => node))];

/** Float32 values of a few units, after a handful of operations whose order torch chooses. */
const TOLERANCE = 2e-6;

function run(name: string, inputs: Record<string, unknown>): unknown {
  const node = nodeClasses.get(name);
  if (node === undefined) throw new Error(`no node class ${name}`);
  // These nodes use nothing but their inputs.
  const result = node.run(inputs as never, {} as RunContext) as { readonly outputs: unknown };
  return (result.outputs as readonly unknown[]).map(withoutOwn);
}

/** Without what latents say of themselves here alone. */
function withoutOwn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('madeFor' in value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'madeFor'));
}

describe("nodes return what ComfyUI's do", () => {
  it.each(tested)('%s', (name) => {
    const found = cases
      .filter(({ node }) => node === name)
      .flatMap(({ inputs, outputs }, index) => {
        const values = Object.fromEntries(
          Object.entries(inputs).map(([key, written]) => {
            const value = readValue(written, tensor);
            return [key, key === 'seed' ? BigInt(value as number) : value] as const;
          }),
        );
        const expected = outputs.map((written) => readValue(written, tensor));
        return differences(run(name, values), expected, TOLERANCE, `case ${index}`);
      });
    expect(found).toEqual([]);
  });
});
