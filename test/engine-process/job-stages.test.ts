import { describe, expect, test } from 'vitest';
import { ImageClock } from '../../src/engine-process/image-clock.js';
import { JobStages } from '../../src/engine-process/job-stages.js';
import type { StageReport } from '../../src/engine-process/messages.js';
import { stageOfNode } from '../../src/engine-process/node-stage.js';
import { nodeClasses } from '../../src/nodes/index.js';
import type { RunEvent } from '../../src/workflow/events.js';

const stageOf = (name: string) => {
  const node = nodeClasses.get(name);
  return node === undefined ? undefined : stageOfNode(node);
};

test.each([
  ['CheckpointLoaderSimple', 'loading_models'],
  ['LoraLoader', 'loading_models'],
  ['VAELoader', 'loading_models'],
  ['CLIPTextEncode', 'encoding'],
  ['ConditioningCombine', 'encoding'],
  ['KSampler', 'sampling'],
  ['KSamplerAdvanced', 'sampling'],
  ['VAEDecode', 'decoding'],
  ['VAEDecodeTiled', 'decoding'],
  ['VAEEncode', undefined],
  ['EmptyLatentImage', undefined],
  ['LoadImage', undefined],
  ['ImageScale', undefined],
  ['SaveImage', undefined],
])('%s belongs to %s', (name, stage) => {
  expect(stageOf(name)).toBe(stage);
});

const classes = new Map([
  ['1', 'CheckpointLoaderSimple'],
  ['2', 'CLIPTextEncode'],
  ['3', 'LoadImage'],
  ['4', 'KSampler'],
  ['5', 'KSampler'],
  ['6', 'VAEDecode'],
  ['7', 'SaveImage'],
]);
const executing = (node: string): RunEvent => ({ type: 'executing', node, class_type: classes.get(node)! });
const step = (node: string, count: number, total: number): RunEvent => ({
  type: 'progress',
  node,
  class_type: classes.get(node)!,
  step: count,
  total_steps: total,
});
const cached = (...nodes: string[]): RunEvent => ({ type: 'execution_cached', nodes });

function watch(images: number) {
  const reports: StageReport[] = [];
  const stages = new JobStages({ images, steps: 4, stageOf, report: (report) => reports.push(report) });
  return {
    reports,
    run: (...events: RunEvent[]) => {
      stages.beginImage(classes);
      for (const event of events) stages.see(event);
    },
  };
}

describe('a job is told', () => {
  test('with every stage, in order, and samplers after one another as one', () => {
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
    expect(reports.map(({ stage, sampled }) => [stage, sampled])).toEqual([
      ['initializing', 0],
      ['loading_models', 0],
      ['encoding', 0],
      ['sampling', 0],
      ['sampling', 0.25],
      ['sampling', 0.5],
      ['sampling', 0.75],
      ['sampling', 1],
      ['decoding', 1],
      ['post_processing', 1],
    ]);
    expect(reports.slice(4, 8).map((report) => [report.step, report.totalSteps])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ]);
  });

  test('with the stages that had nothing to do', () => {
    const { run, reports } = watch(1);
    run(cached('1', '2', '3', '4'), executing('5'), step('5', 1, 1), executing('6'), executing('7'));
    expect(reports.map(({ stage }) => stage)).toEqual([
      'initializing',
      'loading_models',
      'encoding',
      'sampling',
      'sampling',
      'decoding',
      'post_processing',
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
    expect(reports.at(-1)).toMatchObject({ stage: 'sampling', step: 3, totalSteps: 6, sampled: 0.5 });
    run(...image);
    expect(reports.slice(-3)).toMatchObject([
      { stage: 'sampling', step: 6, sampled: 1 },
      { stage: 'decoding', step: 6 },
      { stage: 'post_processing', step: 6 },
    ]);
  });
});

test('the times of an image are summed by stage', () => {
  const clock = new ImageClock(stageOf);
  clock.see(executing('4'));
  clock.see(step('4', 1, 2));
  clock.see(step('4', 2, 2));
  const timing = (node: string, ms: number) => ({ node, class_type: classes.get(node)!, ms });
  const timings = [timing('3', 100), timing('1', 500), timing('4', 2000), timing('6', 300), timing('7', 50)];
  const { stages, steps, firstStep } = clock.times(timings, 3000);
  expect(stages).toEqual({
    initializing: expect.closeTo(0.15) as unknown,
    loading_models: 0.5,
    sampling: 2,
    decoding: 0.3,
    post_processing: 0.05,
  });
  expect(steps).toBe(2);
  expect(firstStep).toBeGreaterThanOrEqual(0);
});

test('where nothing is sampled, the frames of any node are the steps', () => {
  const reports: StageReport[] = [];
  const stages = new JobStages({ images: 1, steps: 4, stageOf, report: (report) => reports.push(report) });
  const film = new Map([
    ['1', 'VHS_LoadVideo'],
    ['2', 'VHS_VideoCombine'],
  ]);
  const of = (node: string) => ({ node, class_type: film.get(node)! });
  stages.beginImage(film);
  const events: RunEvent[] = [
    { type: 'executing', ...of('1') },
    { type: 'progress', ...of('1'), step: 5, total_steps: 10 },
    { type: 'executing', ...of('2') },
    { type: 'progress', ...of('2'), step: 1, total_steps: 2 },
    { type: 'execution_success' },
  ];
  for (const event of events) stages.see(event);
  expect(reports.map(({ stage, step, totalSteps, sampled }) => [stage, step, totalSteps, sampled])).toEqual([
    ['initializing', 0, 4, 0],
    ['loading_models', 0, 4, 0],
    ['encoding', 0, 4, 0],
    ['sampling', 0, 4, 0],
    ['sampling', 5, 10, 0.25],
    ['sampling', 1, 2, 0.75],
    ['decoding', 2, 2, 1],
    ['post_processing', 2, 2, 1],
  ]);
});
