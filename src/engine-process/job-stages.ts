/** Follows the nodes of a job's runs and says how far the job is, all its images counted. */
import { STAGES, type Stage } from '../wire/protocol.js';
import type { RunEvent } from '../workflow/events.js';
import type { StageReport } from './messages.js';

/** The stage of a node class's work; undefined where it has none of its own. */
export type StageOfClass = (classType: string) => Stage | undefined;

export interface JobStagesOptions {
  readonly images: number;
  /** Steps of a sampler, as long as none has told its own. */
  readonly steps: number;
  readonly stageOf: StageOfClass;
  readonly report: (report: StageReport) => void;
}

const SAMPLING = STAGES.indexOf('sampling');

/**
 * Reported stages only go forward: while one image of several is decoded and the next prepared, the job is still sampling.
 * Every stage is reported, also one with nothing to do because its results were kept.
 */
export class JobStages {
  private stage = 0;
  private step = 0;
  private totalSteps: number;
  private sampled = 0;
  private image = -1;
  /** Ids of this image's samplers that have something to do, how many are done, and whether one is at work. */
  private samplers: readonly string[] = [];
  private samplersDone = 0;
  private atWork = false;
  /** Of a workflow that samples nothing: how many nodes run, and how many have begun. */
  private work: { nodes: number; begun: number } | undefined;

  constructor(private readonly options: JobStagesOptions) {
    this.totalSteps = options.steps * options.images;
  }

  /** The run of the next image begins, with these node classes by id. */
  beginImage(classes: ReadonlyMap<string, string>): void {
    const { stageOf } = this.options;
    this.image++;
    this.samplers = [...classes].filter(([, name]) => stageOf(name) === 'sampling').map(([id]) => id);
    this.samplersDone = 0;
    this.atWork = false;
    this.work = this.samplers.length === 0 ? { nodes: classes.size, begun: 0 } : undefined;
    if (this.image === 0) this.tell();
  }

  see(event: RunEvent): void {
    if (this.work !== undefined) {
      this.seeWork(event, this.work);
    } else if (event.type === 'execution_cached') {
      const cached = new Set(event.nodes);
      this.samplers = this.samplers.filter((id) => !cached.has(id));
    } else if (event.type === 'executing') {
      this.seeNode(this.options.stageOf(event.class_type));
    } else if (event.type === 'progress' && this.options.stageOf(event.class_type) === 'sampling') {
      this.seeStep(event.step, event.total_steps);
    }
  }

  /** Where nothing is sampled, frames and tiles of any node are the steps, and each node is as much of the whole as another. */
  private seeWork(event: RunEvent, work: { nodes: number; begun: number }): void {
    if (event.type === 'execution_cached') {
      work.nodes -= event.nodes.length;
    } else if (event.type === 'executing') {
      work.begun++;
      this.enter(work.begun === 1 ? (this.options.stageOf(event.class_type) ?? 'sampling') : 'sampling');
    } else if (event.type === 'progress') {
      const { images } = this.options;
      const done = (work.begun - 1 + event.step / event.total_steps) / Math.max(1, work.nodes);
      this.sampled = Math.max(this.sampled, (this.image + done) / images);
      this.step = event.step;
      this.totalSteps = event.total_steps;
      this.tell();
    } else if (event.type === 'execution_success' && this.image === this.options.images - 1) {
      this.enter('post_processing');
    }
  }

  private seeNode(stage: Stage | undefined): void {
    if (this.atWork) this.samplersDone++;
    this.atWork = stage === 'sampling';
    if (stage === 'sampling') this.enter(stage);
    else if (this.samplersDone < this.samplers.length) {
      if (stage === 'loading_models' || stage === 'encoding') this.enter(stage);
    } else if (this.image === this.options.images - 1) {
      this.enter(stage ?? 'post_processing');
    }
  }

  private seeStep(step: number, total: number): void {
    const { images } = this.options;
    const samplers = Math.max(1, this.samplers.length);
    const before = this.image * samplers + Math.min(this.samplersDone, samplers - 1);
    this.sampled = (before + step / total) / (images * samplers);
    this.totalSteps = images * samplers * total;
    this.step = before * total + step;
    this.tell();
  }

  /** Passes through the stages up to this one, unless it lies behind. */
  private enter(stage: Stage): void {
    const target = STAGES.indexOf(stage);
    while (this.stage < target) {
      this.stage++;
      if (this.stage > SAMPLING) {
        this.sampled = 1;
        this.step = this.totalSteps;
      }
      this.tell();
    }
  }

  private tell(): void {
    const { step, totalSteps, sampled } = this;
    this.options.report({ stage: STAGES[this.stage]!, step, totalSteps, sampled });
  }
}
