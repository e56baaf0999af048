/** Listens to an engine while it runs a workflow, and keeps when things happened. */
import type { ProgramLoad, ProgramObserver } from '../models/programs/program-cache.js';
import type { RunEvent } from '../workflow/events.js';
import type { ProgramRun } from './observed-backend.js';

/** From one moment to another, in `performance.now()`'s milliseconds. */
export interface Span {
  readonly started: number;
  readonly ended: number;
}

export interface NodeSpan extends Span {
  readonly classType: string;
  /** When each sampling step was over. */
  readonly steps: readonly number[];
}

/** One run of a workflow. */
export interface Recording extends Span {
  readonly nodes: readonly NodeSpan[];
  readonly loads: readonly ProgramLoad[];
  /** Nodes stood still in these for a model that was loading. */
  readonly waits: readonly Span[];
  readonly runs: readonly ProgramRun[];
}

export class Recorder {
  private nodes: NodeSpan[] = [];
  private steps: number[] = [];
  private loads: ProgramLoad[] = [];
  private waits: Span[] = [];
  private runs: ProgramRun[] = [];
  private nodeStarted = 0;

  /** For the engine's program cache. */
  readonly observer: ProgramObserver = {
    loaded: (load) => this.loads.push(load),
    waited: ({ started, ended }) => this.waits.push({ started, ended }),
  };

  readonly ran = (run: ProgramRun): void => {
    this.runs.push(run);
  };

  readonly onEvent = (event: RunEvent): void => {
    const now = performance.now();
    if (event.type === 'executing') {
      this.nodeStarted = now;
      this.steps = [];
    } else if (event.type === 'progress') {
      this.steps.push(now);
    } else if (event.type === 'executed' && !event.cached) {
      const { class_type: classType } = event;
      this.nodes.push({ classType, started: this.nodeStarted, ended: now, steps: this.steps });
    }
  };

  /** Runs `body` and returns what was heard meanwhile. */
  async record(body: () => Promise<void>): Promise<Recording> {
    this.nodes = [];
    this.loads = [];
    this.waits = [];
    this.runs = [];
    const started = performance.now();
    await body();
    const ended = performance.now();
    const { nodes, loads, waits, runs } = this;
    return { started, ended, nodes, loads, waits, runs };
  }
}
