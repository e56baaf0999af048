import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/compute/graph.js';
import { operandsOf, weightsOf, withOperands } from '../../src/compute/operation.js';
import * as LIST from '../../src/compute/operations/list.js';
import { operationCases } from './fixtures.js';

const FOLDER = fileURLToPath(new URL('../../src/compute/operations', import.meta.url));
const definitions = Object.values(LIST);

/** What definitions are derived from, found the way they may not be: by looking at what an operation holds. */
const isValue = (field: unknown): boolean => typeof field === 'object' && field !== null && 'id' in field;
const isWeight = (field: unknown): boolean => typeof field === 'object' && field !== null && 'read' in field;

describe('the list of operations', () => {
  it('has every file that defines one', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));
    const defining = files.filter((name) =>
      readFileSync(`${FOLDER}/${name}`, 'utf8').includes('= defineOperation<'),
    );
    expect(defining).toHaveLength(definitions.length);
  });

  it('has kinds and methods of graphs once each', () => {
    const kinds = definitions.map(({ kind }) => kind);
    const methods = definitions.flatMap(({ build }) => Object.keys(build));
    expect(new Set(kinds).size).toBe(kinds.length);
    expect(new Set(methods).size).toBe(methods.length);
    expect(methods.filter((name) => name in GraphBuilder.prototype)).toEqual([]);
  });
});

const graphs = operationCases('test/fixtures/compute/ops.safetensors').map(({ graph }) => graph);

it.each(graphs.map((graph) => [graph.name, graph] as const))(
  '%s: operands and weights are all found',
  (_, graph) => {
    for (const { operation } of graph.nodes) {
      const fields: unknown[] = Object.values(operation).flat();
      expect(operandsOf(operation)).toEqual(fields.filter(isValue));
      expect(weightsOf(operation)).toEqual(fields.filter(isWeight));
    }
  },
);

it('an operation on other values keeps all else', () => {
  const [query, tiles] = [
    { id: 1, shape: [1, 4, 8], dtype: 'float32' },
    { id: 2, shape: [4], dtype: 'int32' },
  ] as const;
  const operation = { kind: 'attention_received', query, key: query, heads: 2, tiles } as const;
  const moved = withOperands(operation, (value) => ({ ...value, id: value.id + 10 }));
  expect(moved).toEqual({
    ...operation,
    query: { ...query, id: 11 },
    key: { ...query, id: 11 },
    tiles: { ...tiles, id: 12 },
  });
  const enlarging = { kind: 'upsample_nearest', x: query, to: 2 } as const;
  expect(withOperands(enlarging, (value) => value)).toEqual(enlarging);
});
