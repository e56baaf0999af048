/** What Prometheus reads: how many jobs, how long they wait and take, what engines do. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { JobEvent } from '../../engine-process/messages.js';
import type { JobNotice } from '../../jobs/events.js';
import type { Jobs } from '../../jobs/jobs.js';
import type { VitalMeasure } from '../vitals.js';

/** Seconds: from what a cached result takes to a film. */
const JOB_BUCKETS = [0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560];
const NODE_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

interface Watched {
  readonly startedAt: number;
  /** Workflows that sample take as long as their model does. */
  samples: boolean;
}

export class Metrics {
  readonly registry = new Registry();
  private readonly accepted = new Map<string, number>();
  private readonly running = new Map<string, Watched>();
  private readonly ended: Counter<'front' | 'state'>;
  private readonly waitingSeconds: Histogram<'front'>;
  private readonly runningSeconds: Histogram<'front' | 'workflow'>;
  private readonly nodeSeconds: Histogram<'work'>;
  private readonly loads: Counter;
  /** Of what fronts stand on, by name. */
  private readonly measured = new Map<string, Gauge | Counter>();

  constructor(private readonly jobs: Jobs) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    const gauge = (name: string, help: string, collect: () => number | Promise<number>) =>
      new Gauge({
        name: `latentd_${name}`,
        help,
        registers,
        async collect() {
          this.set(await collect());
        },
      });
    gauge('jobs_waiting', 'Jobs that wait', () => jobs.size);
    gauge('jobs_running', 'Jobs that run', () => jobs.running.length);
    gauge('queue_capacity', 'Jobs that may wait', () => jobs.capacity);
    gauge('engines', 'Engine processes that can take a job', () => this.readyEngines);
    gauge('engine_restarts', 'Times that engine processes were started again', () =>
      jobs.engineStates.reduce((sum, { restarts }) => sum + restarts, 0),
    );
    new Gauge({
      name: 'latentd_engine_up',
      help: '1 where an engine process can take a job; 0 where it starts, is down, or its device is set aside',
      labelNames: ['engine', 'device'],
      registers,
      collect() {
        for (const [engine, { device, state }] of jobs.engineStates.entries())
          this.set({ engine, device }, state === 'ready' ? 1 : 0);
      },
    });
    gauge(
      'engines_set_aside',
      'Engines whose devices keep failing, and which get no jobs for a while',
      () => jobs.engineStates.filter(({ state }) => state === 'set aside').length,
    );
    gauge('engine_resident_bytes', 'Resident memory of all engine processes', () => jobs.engineBytes());
    this.ended = new Counter({
      name: 'latentd_jobs_total',
      help: 'Jobs that are over',
      labelNames: ['front', 'state'],
      registers,
    });
    this.waitingSeconds = new Histogram({
      name: 'latentd_job_waiting_seconds',
      help: 'From the acceptance of a job to its start',
      labelNames: ['front'],
      buckets: JOB_BUCKETS,
      registers,
    });
    this.runningSeconds = new Histogram({
      name: 'latentd_job_running_seconds',
      help: 'From the start of a job to its end; workflow is sampling or other',
      labelNames: ['front', 'workflow'],
      buckets: JOB_BUCKETS,
      registers,
    });
    this.nodeSeconds = new Histogram({
      name: 'latentd_node_seconds',
      help: 'What a node that ran took, by kind of work',
      labelNames: ['work'],
      buckets: NODE_BUCKETS,
      registers,
    });
    this.loads = new Counter({
      name: 'latentd_model_loads_total',
      help: 'Nodes that loaded a model',
      registers,
    });
  }

  /** As Prometheus reads it. */
  text(measures: readonly VitalMeasure[]): Promise<string> {
    // What can't be measured now has no value, not its last one.
    for (const metric of this.measured.values()) metric.remove();
    for (const { name, help, value } of measures) {
      const Kind = name.endsWith('_total') ? Counter : Gauge;
      const metric =
        this.measured.get(name) ?? new Kind({ name: `latentd_${name}`, help, registers: [this.registry] });
      this.measured.set(name, metric);
      metric.inc(value);
    }
    return this.registry.metrics();
  }

  get readyEngines(): number {
    return this.jobs.engineStates.filter(({ state }) => state === 'ready').length;
  }

  hear(notice: JobNotice): void {
    const { id, client } = notice.job;
    const { front } = client;
    switch (notice.kind) {
      case 'accepted':
        this.accepted.set(id, Date.now());
        return;
      case 'started': {
        const acceptedAt = this.accepted.get(id);
        this.accepted.delete(id);
        if (acceptedAt !== undefined) this.waitingSeconds.observe({ front }, (notice.at - acceptedAt) / 1000);
        this.running.set(id, { startedAt: notice.at, samples: false });
        return;
      }
      case 'event':
        this.hearEvent(id, notice.event);
        return;
      case 'over': {
        const watched = this.running.get(id);
        this.accepted.delete(id);
        this.running.delete(id);
        this.ended.inc({ front, state: notice.outcome.state });
        if (watched === undefined) return;
        const workflow = watched.samples ? 'sampling' : 'other';
        this.runningSeconds.observe({ front, workflow }, (Date.now() - watched.startedAt) / 1000);
        return;
      }
      case 'returned':
        this.running.delete(id);
        return;
      case 'progress':
    }
  }

  private hearEvent(id: string, event: JobEvent): void {
    if (event.type !== 'executed' || event.cached) return;
    const { work = 'other', ms } = event;
    this.nodeSeconds.observe({ work }, ms / 1000);
    if (work === 'loading') this.loads.inc();
    const watched = this.running.get(id);
    if (work === 'sampling' && watched !== undefined) watched.samples = true;
  }
}
