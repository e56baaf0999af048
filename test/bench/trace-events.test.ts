import { expect, it } from 'vitest';
import { traceEvents, type TraceEvent } from '../../src/bench/trace-events.js';

const recording = {
  started: 0,
  ended: 100,
  loads: [],
  waits: [],
  runs: [],
  nodes: [{ classType: 'KSampler', started: 10, ended: 90, steps: [40, 80] }],
};
const operator = (layer: string, op_name: string, ts: number, dur: number) => ({
  cat: 'Node',
  name: `${layer} ${op_name} v7_kernel_time`,
  ts,
  dur,
  args: { op_name, output_type_shape: [{ float: [1, 4, 8, 8] }] },
});
const program = {
  name: 'unet',
  load: { started: 11, ended: 15 },
  runs: [
    { started: 20, ended: 30 },
    { started: 50, ended: 60 },
  ],
  // ONNX Runtime lists a run after what is in it, and counts from its own start, in microseconds.
  profile: [
    { cat: 'Session', name: 'session_initialization', ts: 5, dur: 20, args: {} },
    operator('input_blocks.0', 'Convolution', 1100, 300),
    operator('', 'Transpose', 1500, 100),
    { cat: 'Session', name: 'model_run', ts: 1000, dur: 9000, args: {} },
    operator('input_blocks.0', 'Convolution', 31_200, 400),
    { cat: 'Session', name: 'model_run', ts: 31_000, dur: 9600, args: {} },
  ],
};

const events = traceEvents([{ name: 'cold run', recording }], [program]);
const named = (name: string) => events.filter((event) => event.name === name);
const span = ({ ts = 0, dur = 0 }: TraceEvent) => [ts, ts + dur];

it('names a row for the workflow and one for each program', () => {
  expect(named('thread_name').map(({ tid, args }) => [tid, args!['name']])).toEqual([
    [1, 'workflow'],
    [2, 'unet'],
  ]);
});

it('nests steps in nodes in runs, in microseconds', () => {
  expect(named('cold run').map(span)).toEqual([[0, 100_000]]);
  expect(named('KSampler').map(span)).toEqual([[10_000, 90_000]]);
  expect(named('step 1').map(span)).toEqual([[10_000, 40_000]]);
  expect(named('step 2').map(span)).toEqual([[40_000, 80_000]]);
});

it('lays operators into the runs that they belong to, with their layer and shape', () => {
  expect(named('load unet').map(span)).toEqual([[11_000, 15_000]]);
  expect(named('unet').map(span)).toEqual([
    [20_000, 30_000],
    [50_000, 60_000],
  ]);
  // The first profiled run lasts 9 of 10 ms, so it begins half a millisecond after ours.
  expect(named('Convolution').map(span)).toEqual([
    [20_600, 20_900],
    [50_400, 50_800],
  ]);
  expect(named('Convolution')[0]).toMatchObject({
    tid: 2,
    cat: 'operator',
    args: { layer: 'input_blocks.0', output: '1×4×8×8' },
  });
  expect(named('Transpose')[0]!.args).toEqual({ layer: '', output: '1×4×8×8' });
});
