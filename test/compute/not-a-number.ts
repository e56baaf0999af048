/** What is no number must not turn into one: a broken file's picture is black, never an ordinary one. */
import { expect, it } from 'vitest';
import type { Backend } from '../../src/compute/backend.js';
import { GraphBuilder } from '../../src/compute/graph.js';
import { tensor, type TensorData } from '../../src/compute/tensor.js';
import type { OperationCase } from './fixtures.js';

type Inputs = OperationCase['inputs'];

async function resultOf(backend: Backend, { graph }: Pick<OperationCase, 'graph'>, inputs: Inputs) {
  const program = await backend.load(graph);
  const { out } = await program.run(inputs);
  await program.dispose();
  return out!.data;
}

function changedAt(inputs: Inputs, name: string, place: number, to: (value: number) => number): Inputs {
  const { shape, data } = inputs[name]!;
  const changed: TensorData = data.slice();
  changed[place] = to(data[place]!);
  return { ...inputs, [name]: { shape, data: changed } };
}

/** Inputs that only say where to look. */
const placed = new Set(['index', 'tiles', 'order', 'counts', 'like']);

/**
 * Puts a NaN into every float input of every case, at its start, in its middle and at its end, and expects a NaN wherever another
 * number there makes a difference. What tokens are merged with changes with them, and the row of a table that the greatest score
 * selects has none of it, in torch as well.
 */
export function keepsNaN(cases: readonly OperationCase[], backend: Backend): void {
  it.each(cases.filter(({ name }) => name !== 'select_rows'))('$name', async (operation) => {
    const whole = await resultOf(backend, operation, operation.inputs);
    for (const [name, { data }] of Object.entries(operation.inputs)) {
      if (data instanceof Int32Array || placed.has(name)) continue;
      for (const place of new Set([0, data.length >> 1, data.length - 1])) {
        const other = await resultOf(
          backend,
          operation,
          changedAt(operation.inputs, name, place, (value) => value + 50),
        );
        const broken = await resultOf(
          backend,
          operation,
          changedAt(operation.inputs, name, place, () => NaN),
        );
        if (/^(un)?merge/.test(operation.name)) {
          expect(broken.some(Number.isNaN), `${name}[${place}]`).toBe(true);
          continue;
        }
        const kept = [...other.keys()].filter((at) => other[at] !== whole[at] && !Number.isNaN(broken[at]));
        expect(kept, `${name}[${place}]`).toHaveLength(0);
      }
    }
  });
}

/** Attention of 40 queries and keys whose scores are −∞, ∞ or NaN for the first query: none of its results is a number. */
export function keepsInfinityInAttention(backend: Backend): void {
  it.each([
    ['−∞ for every key', -Infinity, () => 1],
    ['∞ for every key', Infinity, () => 1],
    ['∞ for one key, −∞ for others', Infinity, (token: number) => (token === 30 ? 1 : -1)],
  ] as const)('attention with a score of %s', async (_, entry, keyAt) => {
    const [tokens, channels] = [40, 16];
    const graph = new GraphBuilder('attention');
    const input = (name: string) => graph.input(name, [1, tokens, channels]);
    graph.output('out', graph.attention(input('q'), input('k'), input('v'), 2));
    const fill = (value: (token: number, channel: number) => number) =>
      tensor(
        [1, tokens, channels],
        Float32Array.from({ length: tokens * channels }, (__, at) =>
          value(Math.floor(at / channels), at % channels),
        ),
      );
    const program = await backend.load(graph.build());
    const { out } = await program.run({
      q: fill((token, channel) => (token === 0 && channel === 0 ? entry : 0.1)),
      k: fill((token, channel) => (channel === 0 ? keyAt(token) : 0.2)),
      v: fill((token) => token),
    });
    await program.dispose();
    // The first head sees what is no number, the second doesn't.
    const results = [...out!.data];
    expect(results.slice(0, 8).every(Number.isNaN)).toBe(true);
    expect(results.slice(8).every(Number.isFinite)).toBe(true);
  });
}
