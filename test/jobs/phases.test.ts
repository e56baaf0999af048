import { describe, expect, test } from 'vitest';
import type { JobEvent } from '../../src/engine-process/messages.js';
import { workOf } from '../../src/engine-process/node-work.js';
import { PhaseClock } from '../../src/jobs/phase-clock.js';
import { PhaseTracker, type PhaseReport } from '../../src/jobs/phases.js';
import { nodeClasses } from '../../src/nodes/index.js';

const classes = new Map([
  ['1', 'CheckpointLoaderSimple'],
  ['2', 'CLIPTextEncode'],
  ['3', 'LoadImage'],
  ['4', 'KSampler'],
  ['5', 'KSampler'],
  ['6', 'VAEDecode'],
  ['7', 'SaveImage'],
]);
const about = (node: string, names = classes) => {
  const nodeClass = nodeClasses.get(names.get(node)!);
  const work = nodeClass && workOf(nodeClass);
  return { workflow: 0, at: 0, node, class_type: names.get(node)!, ...(work && { work }) };
};
const start = (names = classes): JobEvent => ({
  type: 'workflow_start',
  workflow: 0,
  at: 0,
  nodes: [...names.keys()].map((node) => about(node, names)),
});
const executing = (node: string): JobEvent => ({ type: 'executing', ...about(node) });
const step = (node: string, count: number, total: number): JobEvent => ({
  type: 'progress',
  ...about(node),
  step: count,
  total_steps: total,
});
const cached = (...nodes: string[]): JobEvent => ({ type: 'execution_cached', workflow: 0, at: 0, nodes });

function watch(workflows: number) {
  const reports: PhaseReport[] = [];
  const tracker = new PhaseTracker({ workflows, steps: 4, report: (report) => reports.push(report) });
  return {
    reports,
    run: (...events: JobEvent[]) => {
      for (const event of [start(), ...events]) tracker.see(event);
    },
  };
}

describe('a job is told', () => {
  test('with every phase, in order, and samplers after one another as one', () => {
    const { run, reports } = watch(1);
    run(
      cached(),
      ...['3', '1', '2', '4'].map(executing),
      step('4', 1, 2),
      step('4', 2, 2),
      executing('5'),
      step('5', 1, 2),
      step('5', 2, 2),
      ...['6', '7'].map(executing),
    );
    expect(reports.map(({ phase, sampled }) => [phase, sampled])).toEqual([
      ['preparing', 0],
      ['loading', 0],
      ['encoding', 0],
      ['sampling', 0],
      ['sampling', 0.25],
      ['sampling', 0.5],
      ['sampling', 0.75],
      ['sampling', 1],
      ['decoding', 1],
      ['finishing', 1],
    ]);
    expect(reports.slice(4, 8).map((report) => [report.step, report.totalSteps])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ]);
  });

  test('with the phases that had nothing to do', () => {
    const { run, reports } = watch(1);
    run(cached('1', '2', '3', '4'), executing('5'), step('5', 1, 1), executing('6'), executing('7'));
    expect(reports.map(({ phase }) => phase)).toEqual([
      'preparing',
      'loading',
      'encoding',
      'sampling',
      'sampling',
      'decoding',
      'finishing',
    ]);
    expect(reports.at(4)).toMatchObject({ step: 1, totalSteps: 1, sampled: 1 });
  });

  test('as sampling until the last of several images is drawn', () => {
    const { run, reports } = watch(2);
    const image = [
      cached('1', '2', '3', '4'),
      executing('5'),
      step('5', 3, 3),
      executing('6'),
      executing('7'),
    ];
    run(...image);
    expect(reports.at(-1)).toMatchObject({ phase: 'sampling', step: 3, totalSteps: 6, sampled: 0.5 });
    run(...image);
    expect(reports.slice(-3)).toMatchObject([
      { phase: 'sampling', step: 6, sampled: 1 },
      { phase: 'decoding', step: 6 },
      { phase: 'finishing', step: 6 },
    ]);
  });
});

test('the times of a workflow are summed by phase', () => {
  const clock = new PhaseClock();
  const at = (time: number, event: JobEvent) => clock.see({ ...event, at: time });
  const ran = (node: string, ms: number): JobEvent => ({
    type: 'executed',
    ...about(node),
    cached: false,
    ms,
  });
  at(1000, start());
  at(1050, ran('3', 100));
  at(1550, ran('1', 500));
  at(1600, executing('4'));
  at(2300, step('4', 1, 2));
  at(3500, step('4', 2, 2));
  at(3600, ran('4', 2000));
  at(3900, ran('6', 300));
  at(3950, ran('7', 50));
  at(3960, { type: 'executed', ...about('2'), cached: true, ms: 0 });
  expect(at(4000, { type: 'execution_success', workflow: 0, at: 0 })).toEqual({
    phases: {
      preparing: expect.closeTo(0.15) as unknown,
      loading: 0.5,
      sampling: 2,
      decoding: 0.3,
      finishing: 0.05,
    },
    steps: 2,
    firstStep: 0.7,
  });
});

test('where nothing is sampled, the frames of any node are the steps', () => {
  const film = new Map([
    ['1', 'VHS_LoadVideo'],
    ['2', 'VHS_VideoCombine'],
  ]);
  const reports: PhaseReport[] = [];
  const tracker = new PhaseTracker({ workflows: 1, steps: 4, report: (report) => reports.push(report) });
  const events: JobEvent[] = [
    start(film),
    { type: 'executing', ...about('1', film) },
    { type: 'progress', ...about('1', film), step: 5, total_steps: 10 },
    { type: 'executing', ...about('2', film) },
    { type: 'progress', ...about('2', film), step: 1, total_steps: 2 },
    { type: 'execution_success', workflow: 0, at: 0 },
  ];
  for (const event of events) tracker.see(event);
  expect(reports.map(({ phase, step, totalSteps, sampled }) => [phase, step, totalSteps, sampled])).toEqual([
    ['preparing', 0, 4, 0],
    ['loading', 0, 4, 0],
    ['encoding', 0, 4, 0],
    ['sampling', 0, 4, 0],
    ['sampling', 5, 10, 0.25],
    ['sampling', 1, 2, 0.75],
    ['decoding', 2, 2, 1],
    ['finishing', 2, 2, 1],
  ]);
});
