import { describe, expect, it } from 'vitest';
import { compareReports } from '../../src/bench/compare.js';
import { parseReport, ReportError, type BenchReport } from '../../src/bench/report.js';
import { memory, one, peak, report } from './sample-report.js';

describe('a case’s report', () => {
  const { stages, steps, imagesPerMinute, processors, memory: used } = report(1000).cases[0]!;
  const stage = (phase: string, name: string) =>
    stages.find((each) => each.phase === phase && each.name === name)!;

  it('has the stages in the order in which they happen', () => {
    expect(stages.map(({ phase, name }) => `${phase} ${name}`)).toEqual([
      ...['cold start', 'cold checkpoint open', 'cold load clip_l', 'cold load unet'],
      ...['cold text encode', 'cold sampling', 'cold vae decode', 'cold png', 'cold total'],
      ...['warm text encode', 'warm step', 'warm sampling', 'warm vae decode', 'warm png', 'warm total'],
    ]);
  });

  it('sums each stage up, and its share of the machine’s peak', () => {
    expect(stage('warm', 'vae decode')).toEqual({
      phase: 'warm',
      name: 'vae decode',
      summary: { count: 6, min: 500, p50: 500, p95: 500, max: 500 },
      samples: [500, 500, 500, 500, 500, 500],
      flops: 25e9,
      bytes: 1e9,
      computeShare: 0.5,
      bandwidthShare: 0.2,
    });
    expect(stage('warm', 'png')).not.toHaveProperty('computeShare');
    expect(stage('cold', 'start').samples).toEqual([200, 200]);
    expect(stage('cold', 'total').samples).toEqual([4465, 4615]);
    expect(stage('warm', 'total').flops).toBe(86e9);
  });

  it('has every step, and one sample of a step for each run', () => {
    expect(steps).toHaveLength(6);
    expect(steps[0]).toEqual([990, 1000, 1010]);
    expect(stage('warm', 'step').summary).toMatchObject({ count: 18, min: 990, max: 1015 });
    expect(stage('warm', 'step').samples).toEqual([1000, 1001, 1002, 1003, 1004, 1005]);
  });

  it('counts images, processors and memory', () => {
    expect(imagesPerMinute).toBeCloseTo((2 * 60_000) / (665 + 3 * 1002.5), 9);
    expect(processors).toBeCloseTo(1.5, 9);
    expect(used).toEqual({ cold: memory, warm: { ...memory, peak: 4e9 }, gpu: null });
  });

  it('survives being written and read', () => {
    expect(parseReport(JSON.stringify(report(1000)), 'a.json')).toEqual(report(1000));
  });
});

it.each([
  ['{', /^a\.json is no JSON/],
  ['{"version": 1}', /^a\.json is no report of `latentd bench --json`.*/],
  [JSON.stringify({ ...report(1), version: 2 }), /is no report/],
])('refuses %s', (json, message) => {
  expect(() => parseReport(json, 'a.json')).toThrow(ReportError);
  expect(() => parseReport(json, 'a.json')).toThrow(message);
});

describe('a comparison', () => {
  const verdicts = (before: BenchReport, after: BenchReport) =>
    Object.fromEntries(
      compareReports(before, after).cases[0]!.stages.map(({ phase, name, verdict }) => [
        `${phase} ${name}`,
        verdict,
      ]),
    );

  it('tells which stages changed', () => {
    const found = verdicts(report(1000), report(800));
    expect(found).toMatchObject({
      'warm step': 'faster',
      'warm sampling': 'faster',
      'warm total': 'faster',
      'warm vae decode': 'no difference',
      'cold sampling': 'too few samples',
    });
    expect(verdicts(report(800), report(1000))).toMatchObject({ 'warm step': 'slower' });
  });

  it('says what makes two reports hard to compare', () => {
    const { machine, settings } = report(1000);
    const other = report(1000, {
      machine: { ...machine, processor: 'Example 7000', load: 5 },
      settings: { ...settings, threads: 1 },
      peak: { ...peak, flops: 50e9 },
    });
    expect(compareReports(report(1000), report(1000)).cautions).toEqual([]);
    expect(compareReports(report(1000), other).cautions).toEqual([
      'another processor: Example 9000, now Example 7000',
      'another number of threads: 2, now 1',
      "the machine's own peak of compute is 50 % lower than then",
      'the machine was busy now: a load of 5.0 on 2 threads',
    ]);
  });

  it('leaves out cases that were not measured before', () => {
    const wider = report(1000);
    const cases = wider.cases.map((each) => ({ ...each, case: { ...one, width: 768 } }));
    const found = compareReports(report(1000), { ...wider, cases });
    expect(found.cases).toEqual([]);
    expect(found.cautions[0]).toBe(
      'the earlier report has no sd15.safetensors 768×512, batch 2, 3 steps of euler (normal)',
    );
  });
});
