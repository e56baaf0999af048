import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AnyNodeClass, InputSpec, InputSpecs } from '../../src/nodes/definition.js';
import { nodeClasses } from '../../src/nodes/index.js';
import { fixture } from '../support/golden.js';

interface ReferenceInput {
  readonly type: string;
  readonly options?: readonly string[];
}

interface ReferenceNode {
  readonly display_name: string;
  readonly category: string;
  readonly output_node: boolean;
  readonly required: Readonly<Record<string, ReferenceInput>>;
  readonly optional: Readonly<Record<string, ReferenceInput>>;
  readonly outputs: readonly string[];
  readonly output_names: readonly string[];
}

/** What ComfyUI, or the node pack that a class comes from, says about each class (tools/reference/node_info.py). */
const reference = JSON.parse(readFileSync(fixture('nodes/node-info.json'), 'utf8')) as Readonly<
  Record<string, ReferenceNode>
>;

/** ComfyUI's seeds are integers of 64 bits, of which JSON.parse keeps the upper ones. */
const MAX_SEED = 2 ** 64;

function described(spec: InputSpec): object {
  switch (spec.kind) {
    case 'LINK':
      return { type: spec.type };
    case 'MATCH':
      return { type: 'COMFY_MATCHTYPE_V3' };
    case 'SEED':
      return {
        type: 'INT',
        ...(spec.default !== undefined && { default: Number(spec.default) }),
        min: Number(spec.min ?? 0),
        max: Number(spec.max ?? MAX_SEED),
      };
    case 'COMBO': {
      // Lists of files are whatever lies there.
      const options = typeof spec.options === 'function' ? {} : { options: spec.options };
      return {
        type: spec.kind,
        ...options,
        ...(spec.default === undefined ? {} : { default: spec.default }),
      };
    }
    case 'STRING': {
      const { kind, multiline, default: text } = spec;
      return {
        type: kind,
        ...(multiline === undefined ? {} : { multiline }),
        ...(text === '' ? {} : { default: text }),
      };
    }
    default: {
      const { kind, ...bounds } = spec;
      delete (bounds as { tooltip?: string }).tooltip;
      delete (bounds as { also?: readonly string[] }).also;
      // A bound that isn't there.
      if ('max' in bounds && bounds.max === Infinity) delete (bounds as { max?: number }).max;
      return { type: kind, ...bounds };
    }
  }
}

function inputsOf(specs: InputSpecs): [string, object][] {
  return Object.entries(specs).map(([name, spec]) => [name, described(spec)]);
}

/** The reference's inputs without lists that depend on files, which ours make when asked. */
function referenceInputs(
  specs: InputSpecs,
  inputs: Readonly<Record<string, ReferenceInput>>,
): [string, object][] {
  return Object.entries(inputs).map(([name, { options, ...input }]) => {
    const own = specs[name];
    const dynamic = own?.kind === 'COMBO' && typeof own.options === 'function';
    return [name, options === undefined || dynamic ? input : { ...input, options }];
  });
}

describe("node classes are declared as ComfyUI's are", () => {
  const pairs = [...nodeClasses.values()].map((node): [string, AnyNodeClass] => [node.name, node]);

  it.each(pairs)('%s', (name, node) => {
    const theirs = reference[name];
    if (theirs === undefined) throw new Error(`${name} is not in node-info.json`);
    expect(node.displayName).toBe(theirs.display_name);
    expect(node.category).toBe(theirs.category);
    expect(node.outputNode ?? false).toBe(theirs.output_node);
    expect(node.outputs.map(({ type }) => type)).toEqual(theirs.outputs);
    expect(node.outputs.map((output) => output.name)).toEqual(theirs.output_names);
    expect(inputsOf(node.required)).toEqual(referenceInputs(node.required, theirs.required));
    expect(inputsOf(node.optional)).toEqual(referenceInputs(node.optional, theirs.optional));
  });

  it('are all of those that a session of ComfyUI needs', () => {
    expect([...nodeClasses.keys()].sort()).toEqual(Object.keys(reference).sort());
  });
});
