/**
 * A Chrome trace (chrome://tracing, Perfetto) of what was recorded: runs, nodes and steps in one row, and a row for each
 * program with its load, its runs and, within each run, the operators as ONNX Runtime's own profile has them.
 */
import { z } from 'zod';
import type { Recording, Span } from './recorder.js';

/** Of the trace event format; times in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly cat?: string;
  /** `X`: from `ts` for `dur`; `M`: a name for a row. */
  readonly ph: 'X' | 'M';
  readonly ts?: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args?: Readonly<Record<string, string>>;
}

/** What a profile of ONNX Runtime holds, as far as it is used. */
export const profileSchema = z.array(
  z.object({
    cat: z.string(),
    name: z.string(),
    ts: z.number(),
    dur: z.number(),
    args: z.object({
      op_name: z.string().optional(),
      output_type_shape: z.array(z.record(z.string(), z.array(z.number()))).optional(),
    }),
  }),
);
export type Profile = Readonly<z.infer<typeof profileSchema>>;

export interface ProfiledProgram {
  readonly name: string;
  readonly load: Span;
  /** As they were seen from outside, in `performance.now()`'s milliseconds. */
  readonly runs: readonly Span[];
  /** Its times count from its own beginning. */
  readonly profile: Profile;
}

export interface NamedRecording {
  readonly name: string;
  readonly recording: Recording;
}

const PID = 1;
const STAGES_ROW = 1;

export function traceEvents(
  recordings: readonly NamedRecording[],
  programs: readonly ProfiledProgram[],
): TraceEvent[] {
  return [
    rowName(STAGES_ROW, 'workflow'),
    ...recordings.flatMap(({ name, recording }) => workflowEvents(name, recording)),
    ...programs.flatMap((program, index) => programEvents(program, STAGES_ROW + 1 + index)),
  ];
}

function workflowEvents(name: string, { nodes, started, ended }: Recording): TraceEvent[] {
  return [
    event(STAGES_ROW, name, 'run', { started, ended }),
    ...nodes.flatMap((node) => [
      event(STAGES_ROW, node.classType, 'node', node),
      ...node.steps.map((ended, index) =>
        event(STAGES_ROW, `step ${index + 1}`, 'step', {
          started: node.steps[index - 1] ?? node.started,
          ended,
        }),
      ),
    ]),
  ];
}

function programEvents({ name, load, runs, profile }: ProfiledProgram, row: number): TraceEvent[] {
  const inTime = [...profile].sort((a, b) => a.ts - b.ts);
  const profiledRuns = inTime.filter(({ name }) => name === 'model_run');
  const operators = inTime.filter(({ cat }) => cat === 'Node');
  return [
    rowName(row, name),
    event(row, `load ${name}`, 'load', load),
    ...runs.flatMap((run, index) => {
      const inside = event(row, name, 'program', run);
      const profiled = profiledRuns[index];
      if (profiled === undefined) return [inside];
      // ONNX Runtime's clock starts elsewhere: its run is laid into the middle of ours, which includes copies in and out.
      const shift = ((run.started + run.ended) / 2) * 1000 - (profiled.ts + profiled.dur / 2);
      const end = profiled.ts + profiled.dur;
      const within = operators.filter(({ ts }) => ts >= profiled.ts && ts <= end);
      return [inside, ...within.map((operator) => operatorEvent(operator, row, shift))];
    }),
  ];
}

/** Nodes are called `LAYER OPERATOR RESULT_kernel_time`. */
function operatorEvent({ name, ts, dur, args }: Profile[number], tid: number, shift: number): TraceEvent {
  const words = name.replace(/_kernel_time$/, '').split(' ');
  const operator = args.op_name ?? words.at(-2) ?? name;
  const layer = words.length > 2 ? words.slice(0, -2).join(' ') : '';
  const shapes = (args.output_type_shape ?? []).flatMap((output) =>
    Object.values(output).map((extents) => extents.join('×')),
  );
  return {
    name: operator,
    cat: 'operator',
    ph: 'X',
    ts: ts + shift,
    dur,
    pid: PID,
    tid,
    args: { layer, output: shapes.join(', ') },
  };
}

function event(tid: number, name: string, cat: string, { started, ended }: Span): TraceEvent {
  return { name, cat, ph: 'X', ts: started * 1000, dur: (ended - started) * 1000, pid: PID, tid };
}

function rowName(tid: number, name: string): TraceEvent {
  return { name: 'thread_name', ph: 'M', pid: PID, tid, args: { name } };
}
