/** Follows the events of a job's workflows and says how far the job is, all its workflows counted. */
import type { JobEvent, NodeSummary } from '../engine-process/messages.js';

/** What a job goes through, in this order; every kind of a node's work is one. */
export const PHASES = ['preparing', 'loading', 'encoding', 'sampling', 'decoding', 'finishing'] as const;
export type Phase = (typeof PHASES)[number];

/** How far a job is. Phases only go forward while an attempt lasts. */
export interface PhaseReport {
  readonly phase: Phase;
  readonly step: number;
  readonly totalSteps: number;
  /** The share of the job's sampling that is done, all its workflows counted. */
  readonly sampled: number;
}

export interface PhaseTrackerOptions {
  /** How many workflows the job runs. */
  readonly workflows: number;
  /** Steps of a sampler, as long as none has told its own. */
  readonly steps: number;
  readonly report: (report: PhaseReport) => void;
}

const SAMPLING = PHASES.indexOf('sampling');

type NodeEvent = Extract<JobEvent, { readonly type: 'executing' | 'progress' }>;

/**
 * Reported phases only go forward: while one image of several is decoded and the next prepared, the job is still sampling.
 * Every phase is reported, also one with nothing to do because its results were kept.
 */
export class PhaseTracker {
  private phase = 0;
  private step = 0;
  private totalSteps: number;
  private sampled = 0;
  private workflow = -1;
  /** Ids of this workflow's samplers that have something to do, how many are done, and whether one is at work. */
  private samplers: readonly string[] = [];
  private samplersDone = 0;
  private atWork = false;
  /** Of a workflow that samples nothing: how many nodes run, and how many have begun. */
  private work: { nodes: number; begun: number } | undefined;

  constructor(private readonly options: PhaseTrackerOptions) {
    this.totalSteps = options.steps * options.workflows;
  }

  see(event: JobEvent): void {
    if (event.type === 'workflow_start') this.begin(event.nodes);
    else if (event.type === 'execution_cached') this.seeCached(event.nodes);
    else if (event.type === 'executing' || event.type === 'progress') this.seeNode(event);
    else if (event.type === 'execution_success' && this.work !== undefined && this.isLast) {
      this.enter('finishing');
    }
  }

  private get isLast(): boolean {
    return this.workflow === this.options.workflows - 1;
  }

  private begin(nodes: readonly NodeSummary[]): void {
    this.workflow++;
    this.samplers = nodes.filter(({ work }) => work === 'sampling').map(({ node }) => node);
    this.samplersDone = 0;
    this.atWork = false;
    this.work = this.samplers.length === 0 ? { nodes: nodes.length, begun: 0 } : undefined;
    if (this.workflow === 0) this.tell();
  }

  private seeCached(nodes: readonly string[]): void {
    const cached = new Set(nodes);
    this.samplers = this.samplers.filter((id) => !cached.has(id));
    if (this.work !== undefined) this.work.nodes -= nodes.length;
  }

  private seeNode(event: NodeEvent): void {
    if (this.work !== undefined) this.seeWork(event, this.work);
    else if (event.type === 'executing') this.seeSamplingNode(event.work);
    else if (event.work === 'sampling') this.seeStep(event.step, event.total_steps);
  }

  /** Where nothing is sampled, frames and tiles of any node are the steps, and each node is as much of the whole as another. */
  private seeWork(event: NodeEvent, work: { nodes: number; begun: number }): void {
    if (event.type === 'executing') {
      work.begun++;
      this.enter(work.begun === 1 ? (event.work ?? 'sampling') : 'sampling');
      return;
    }
    const done = (work.begun - 1 + event.step / event.total_steps) / Math.max(1, work.nodes);
    this.sampled = Math.max(this.sampled, (this.workflow + done) / this.options.workflows);
    this.step = event.step;
    this.totalSteps = event.total_steps;
    this.tell();
  }

  private seeSamplingNode(phase: Phase | undefined): void {
    if (this.atWork) this.samplersDone++;
    this.atWork = phase === 'sampling';
    if (phase === 'sampling') this.enter(phase);
    else if (this.samplersDone < this.samplers.length) {
      if (phase === 'loading' || phase === 'encoding') this.enter(phase);
    } else if (this.isLast) {
      this.enter(phase ?? 'finishing');
    }
  }

  private seeStep(step: number, total: number): void {
    const { workflows } = this.options;
    const samplers = Math.max(1, this.samplers.length);
    const before = this.workflow * samplers + Math.min(this.samplersDone, samplers - 1);
    this.sampled = (before + step / total) / (workflows * samplers);
    this.totalSteps = workflows * samplers * total;
    this.step = before * total + step;
    this.tell();
  }

  /** Passes through the phases up to this one, unless it lies behind. */
  private enter(phase: Phase): void {
    const target = PHASES.indexOf(phase);
    while (this.phase < target) {
      this.phase++;
      if (this.phase > SAMPLING) {
        this.sampled = 1;
        this.step = this.totalSteps;
      }
      this.tell();
    }
  }

  private tell(): void {
    const { step, totalSteps, sampled } = this;
    this.options.report({ phase: PHASES[this.phase]!, step, totalSteps, sampled });
  }
}
