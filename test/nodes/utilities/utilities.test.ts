import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { nodeClasses } from '../../../src/nodes/index.js';
import { plainValue } from '../../../src/workflow/check-input.js';
import { inputConfig, rememberOptions } from '../../../src/workflow/input-config.js';
import { parseJson } from '../../../src/python/json.js';
import { toJson } from '../../../src/workflow/literal.js';
import { nodeContext } from '../../support/node-context.js';

/** Of tools/reference/utility_nodes.py. */
interface Reference {
  readonly input: Readonly<Record<'required', Readonly<Record<string, readonly [string, object?]>>>>;
  readonly output: readonly string[];
  readonly output_is_list: readonly boolean[];
  readonly cases: readonly {
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly float: boolean;
    readonly outputs: readonly unknown[];
  }[];
}

const text = readFileSync(new URL('../../fixtures/nodes/utilities.json', import.meta.url), 'utf8');
const reference = plainValue(parseJson(text, 50)) as Readonly<Record<string, Reference>>;

interface Written {
  readonly shape?: readonly number[];
  readonly data?: readonly number[];
  readonly samples?: Written;
  readonly noise_mask?: Written;
  readonly batch_index?: readonly number[];
}

/** A tensor or latent as latentd has it. */
function read(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(read);
  const { shape, data, samples, noise_mask: mask, batch_index: index } = (value ?? {}) as Written;
  if (shape !== undefined && data !== undefined) return tensor(shape, Float32Array.from(data));
  if (samples === undefined) return value;
  return {
    samples: read(samples),
    ...(mask && { noiseMask: read(mask) }),
    ...(index && { batchIndex: index }),
  };
}

function run(name: string, { inputs, float }: Reference['cases'][number]): readonly unknown[] {
  const values = Object.entries(inputs).map(([key, value]) => {
    const isSeed = nodeClasses.get(name)?.required[key]?.kind === 'SEED' && typeof value === 'number';
    return [key, isSeed ? BigInt(value) : read(value)];
  });
  const receivedTypes: Readonly<Record<string, string>> = float ? { source: 'FLOAT' } : {};
  const context = nodeContext({}, { receivedTypes });
  const returned = nodeClasses.get(name)!.run(Object.fromEntries(values) as never, context);
  return (returned as { readonly outputs: readonly unknown[] }).outputs;
}

/** Tensors by their values: a part of one has the same as a copy. */
const comparable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  if ('shape' in value) return { shape: [...(value as Tensor).shape], data: [...(value as Tensor).data] };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]));
};

describe.each(Object.entries(reference))('%s', (name, expected) => {
  it("returns what ComfyUI's does", () => {
    for (const given of expected.cases) {
      expect(comparable(run(name, given))).toEqual(comparable(read(given.outputs)));
    }
  });

  it("is declared as ComfyUI's is", () => {
    const node = nodeClasses.get(name)!;
    expect(node.outputs.map(({ type }) => type)).toEqual(expected.output);
    expect(node.outputs.map(({ isList = false }) => isList)).toEqual(expected.output_is_list);
    const optionsOf = rememberOptions(nodeContext().folders);
    for (const [key, [type, options = {}]] of Object.entries(expected.input.required)) {
      const [ownType, ownOptions] = toJson(inputConfig(node.required[key]!, optionsOf)) as readonly [
        string,
        object,
      ];
      expect(ownType).toBe(type);
      // Python's huge bounds are doubles there, and what is false or empty may be left out.
      const shown = Object.entries(options).filter(([, value]) => value !== false && value !== '');
      expect(Object.keys(ownOptions)).toEqual(expect.arrayContaining(shown.map(([option]) => option)));
    }
  });
});
