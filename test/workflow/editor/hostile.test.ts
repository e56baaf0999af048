/** Files that are damaged, or made to keep a reader busy: each ends in a workflow or in one error. */
import { expect, test } from 'vitest';
import { processDynamicPrompt } from '../../../src/workflow/editor/dynamic-prompt.js';
import { convertEditorWorkflow } from '../../../src/workflow/editor/convert.js';
import { WorkflowError } from '../../../src/workflow/faults.js';
import { readParameters } from '../../../src/workflow/embedded/parameters.js';
import { converted, file, input, output, parsed, widgetInput, withClasses } from './editor-files.js';

const strange = [null, -1, 1.5, 1e300, 'x', '', [], {}, [1, 2], true, '-10', -20, { a: [] }] as const;

/** Mulberry32. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function damaged(value: unknown, random: () => number, share: number): unknown {
  if (random() < share) return strange[Math.floor(random() * strange.length)];
  if (Array.isArray(value)) return value.map((item) => damaged(item, random, share));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(() => random() > share / 2);
  return Object.fromEntries(kept.map(([key, item]) => [key, damaged(item, random, share)]));
}

const whole = file(
  [
    {
      id: 1,
      type: 'EmptyImage',
      mode: 4,
      inputs: [widgetInput('width', 'INT', 5)],
      outputs: [output('IMAGE')],
      widgets_values: [8, 8, 1, 0],
    },
    { id: 2, type: 'SaveImage', inputs: [input('images', 'IMAGE', 1)], widgets_values: ['%date:yyyy%'] },
    {
      id: 3,
      type: 'sub',
      inputs: [input('image', 'IMAGE', 2)],
      outputs: [output('IMAGE')],
      properties: { proxyWidgets: [['5', 'width']] },
      widgets_values: [7],
    },
    { id: 4, type: 'PrimitiveNode', outputs: [output('INT')], widgets_values: [9, 'fixed'] },
    {
      id: 5,
      type: 'Anything Everywhere?',
      inputs: [input('anything', '*', 3)],
      widgets_values: ['.*', '.*', '.*'],
    },
    { id: 6, type: 'workflow>G', inputs: [], outputs: [output('IMAGE')], widgets_values: [8, 8, 1, 0] },
    { id: 7, type: 'SetNode', inputs: [input('*', '*', 4)], outputs: [output('*')], widgets_values: ['n'] },
    { id: 8, type: 'GetNode', outputs: [output('*')], widgets_values: ['n'] },
  ],
  [
    [1, 3, 0, 2, 0, 'IMAGE'],
    [2, 1, 0, 3, 0, 'IMAGE'],
    [3, 8, 0, 5, 0, 'IMAGE'],
    [4, 6, 0, 7, 0, 'IMAGE'],
    [5, 4, 0, 1, 0, 'INT'],
  ],
  {
    definitions: {
      subgraphs: [
        {
          id: 'sub',
          inputs: [{ name: 'image', type: 'IMAGE' }],
          outputs: [{ name: 'IMAGE', type: 'IMAGE' }],
          nodes: [{ id: 5, type: 'EmptyImage', outputs: [output('IMAGE')], widgets_values: [8, 8, 1, 0] }],
          links: [{ id: 1, origin_id: 5, origin_slot: 0, target_id: -20, target_slot: 0, type: 'IMAGE' }],
        },
      ],
    },
    extra: {
      groupNodes: {
        G: {
          nodes: [{ type: 'EmptyImage', outputs: [output('IMAGE')], widgets_values: [8, 8, 1, 0] }],
          links: [[0, 0, 0, 0, 1, 'IMAGE']],
          external: [[0, 0, 'IMAGE']],
        },
      },
      ue_links: [
        { downstream: 2, downstream_slot: 0, upstream: '1', upstream_slot: 0, controller: 5, type: 'IMAGE' },
      ],
    },
  },
);

test('damage of any kind', () => {
  expect(Object.keys(converted(whole))).toEqual(['2', '3:5', '6:0']);
  const random = numbers(5);
  for (let round = 0; round < 600; round++) {
    const broken = damaged(whole, random, [0.005, 0.03, 0.1][round % 3]!) as object;
    try {
      const { prompt } = convertEditorWorkflow(parsed({ ...broken }), { infoOf: withClasses(), random });
      expect(prompt).toBeInstanceOf(Map);
    } catch (error) {
      expect(error).toBeInstanceOf(WorkflowError);
    }
  }
});

test('patterns that would search forever find nothing', () => {
  const nodes = (pattern: string) =>
    converted(
      file(
        [
          { id: 1, type: 'EmptyImage', outputs: [output('IMAGE')], widgets_values: [8, 8, 1, 0] },
          {
            id: 2,
            type: 'SaveImage',
            title: 'a'.repeat(5000),
            inputs: [input('images', 'IMAGE')],
            widgets_values: ['x'],
          },
          {
            id: 3,
            type: 'Anything Everywhere',
            inputs: [input('anything', '*', 1)],
            properties: { ue_properties: { version: '7.0', title_regex: pattern } },
          },
        ],
        [[1, 1, 0, 3, 0, 'IMAGE']],
      ),
    )['2']![1];
  expect(nodes('^a+')).toEqual({ filename_prefix: 'x', images: ['1', 0] });
  for (const pattern of ['^(a+)+$', '(a|a)*b', 'a*a*a*a*a*a*b', '('])
    expect(nodes(pattern)).toEqual({ filename_prefix: 'x' });
});

test('comments that never end, braces without number', () => {
  expect(processDynamicPrompt('/* '.repeat(200_000), () => 0)).toHaveLength(600_000);
  expect(processDynamicPrompt('{'.repeat(50_000), () => 0).length).toBeLessThan(50_000);
  expect(processDynamicPrompt('a /* b */ c // d\ne \\{f\\} {g|{h|i}}', () => 0.99)).toBe('a  c \ne {f} i');
});

test('parameters that are nothing but space', () => {
  expect(readParameters(`Steps: 1,${' '.repeat(300_000)}`)?.fields.get('steps')).toBe('1');
});

test('subgraphs that make millions of nodes are refused', () => {
  const uses = (type: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: index, type }));
  const subgraphs = ['a', 'b', 'c'].map((id, index) => ({
    id,
    inputs: [],
    outputs: [],
    nodes: uses(['b', 'c', 'EmptyImage'][index]!, 300),
    links: [],
  }));
  expect(() => converted(file(uses('a', 300), [], { definitions: { subgraphs } }))).toThrow(/too often/);
});
