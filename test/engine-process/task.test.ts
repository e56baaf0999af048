import { expect, test } from 'vitest';
import { SERIES_INDEX, workflowsOf } from '../../src/engine-process/task.js';
import { workflowJson } from '../../src/workflow/workflow-json.js';

const workflow = JSON.stringify({
  2: {
    class_type: 'KSampler',
    inputs: { seed: 0, cfg: 7.5, text: `frame ${SERIES_INDEX} of ${SERIES_INDEX}` },
  },
  3: { class_type: 'Other', inputs: { seed: 5, text: SERIES_INDEX, link: ['2', 0] } },
}).replace('"seed":0', '"seed":18446744073709551615');

test('a task without a series is its workflow, once', () => {
  expect([...workflowsOf({ workflow })].map(workflowJson)).toEqual([
    workflow.replaceAll(/([:,])(?=["{[\d])/g, '$1 ').replace('["2", 0]', '["2", 0]'),
  ]);
});

test('in a series, what varies is told by its index, and nothing else changes', () => {
  const varying = [
    { node: '2', input: 'seed' },
    { node: '2', input: 'text' },
  ];
  const all = [...workflowsOf({ workflow, series: { count: 3, varying } })];
  expect(
    all.map(({ nodes }) => [nodes.get('2')!.inputs.get('seed'), nodes.get('2')!.inputs.get('text')]),
  ).toEqual([
    [18446744073709551615n, 'frame 0 of 0'],
    [0n, 'frame 1 of 1'],
    [1n, 'frame 2 of 2'],
  ]);
  for (const { nodes } of all) {
    expect([...nodes.get('3')!.inputs]).toEqual([
      ['seed', 5n],
      ['text', SERIES_INDEX],
      ['link', ['2', 0n]],
    ]);
    expect(nodes.get('2')!.inputs.get('cfg')).toBe(7.5);
  }
});
