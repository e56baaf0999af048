/** Where a run's time went: its recording, cut into the stages that a user knows. */
import type { Cost } from '../compute/cost.js';
import type { Recording, Span } from './recorder.js';

export interface StageTime extends Cost {
  readonly ms: number;
}

export const NODE_STAGES = ['checkpoint open', 'text encode', 'sampling', 'vae decode', 'png'] as const;
export type NodeStage = (typeof NODE_STAGES)[number];

const STAGE_OF_CLASS: Readonly<Record<string, NodeStage>> = {
  CheckpointLoaderSimple: 'checkpoint open',
  CLIPTextEncode: 'text encode',
  KSampler: 'sampling',
  VAEDecode: 'vae decode',
  SaveImage: 'png',
};

/** One run of a case's workflow. */
export interface RunTimes {
  /** From the workflow's start to its end, loads included. */
  readonly totalMs: number;
  /** Each stage without the time that it waited for models to load. */
  readonly stages: Readonly<Record<NodeStage, StageTime>>;
  readonly steps: readonly StageTime[];
  /** In the order in which models were loaded. */
  readonly loads: readonly { readonly name: string; readonly ms: number; readonly buildMs: number }[];
}

export function timesOf(recording: Recording): RunTimes {
  const timeOf = (spans: readonly Span[]): StageTime => {
    const time = { ms: 0, flops: 0, bytes: 0 };
    for (const span of spans) {
      time.ms += span.ended - span.started - overlap(span, recording.waits);
      for (const run of recording.runs) {
        if (run.started < span.started || run.ended > span.ended) continue;
        time.flops += run.flops;
        time.bytes += run.bytes;
      }
    }
    return time;
  };
  const nodesOf = (stage: NodeStage) =>
    recording.nodes.filter(({ classType }) => STAGE_OF_CLASS[classType] === stage);
  const steps = nodesOf('sampling').flatMap(({ started, steps }) =>
    steps.map((ended, index) => ({ started: steps[index - 1] ?? started, ended })),
  );
  return {
    totalMs: recording.ended - recording.started,
    stages: Object.fromEntries(NODE_STAGES.map((stage) => [stage, timeOf(nodesOf(stage))])) as Record<
      NodeStage,
      StageTime
    >,
    steps: steps.map((step) => timeOf([step])),
    loads: recording.loads.map(({ name, started, built, ended }) => ({
      name,
      ms: ended - started,
      buildMs: built - started,
    })),
  };
}

function overlap(span: Span, others: readonly Span[]): number {
  return others.reduce(
    (sum, { started, ended }) =>
      sum + Math.max(0, Math.min(span.ended, ended) - Math.max(span.started, started)),
    0,
  );
}
