/**
 * MySpinBot's data plane: graphs come over a stream, nodes of plane `python` run here, and what is left goes to the control plane
 * by another stream. The truth is in keys, which this worker writes too; channels tell of it as it happens.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { safeText, shorten } from '../../../safe-text.js';
import { findService, type ServiceHouse } from '../services.js';
import type { Claim, Command, Ending } from '../held-entries.js';
import { runWorkflow, TaskError, TaskStopped, type RunnerHouse } from '../workflow-runner.js';
import { GET_CAPABILITIES, manifest } from './capabilities.js';
import {
  LangGraphError,
  inputOf,
  isObject,
  nextNode,
  readGraph,
  standing,
  type LangGraph,
  type LangNode,
} from './graph.js';

export interface MySpinBotOptions {
  readonly client: Redis;
  readonly controlStream: string;
  /** Seconds that keys live. */
  readonly ttl: number;
  readonly house: RunnerHouse & ServiceHouse;
  readonly log: Logger;
  /** Told of each node that ran. */
  readonly onNode?: (service: string, seconds: number) => void;
}

/** Between two messages of how far a job is. */
const PROGRESS_INTERVAL_MS = 250;
const MAX_ERROR = 2000;

export class MySpinBot {
  constructor(private readonly options: MySpinBotOptions) {}

  async handle(claim: Claim): Promise<Ending> {
    const { jobId = '', graph: text = '' } = claim.fields;
    if (jobId === '' || text === '') {
      return { kind: 'dead', reason: 'an entry needs jobId and graph', commands: this.failed(jobId) };
    }
    let graph: LangGraph;
    try {
      graph = await this.graphOf(claim, jobId, text);
    } catch (error) {
      if (!(error instanceof LangGraphError)) throw error;
      return {
        kind: 'dead',
        reason: shorten(safeText(error.message), MAX_ERROR),
        commands: this.failed(jobId),
      };
    }
    // What ran when an earlier consumer died runs again.
    for (const node of graph.nodes) {
      if (node.plane === 'python' && node.status === 'running') node.status = 'pending';
    }
    if (!(await claim.write(this.status(jobId, 'running')))) return { kind: 'handed back' };
    try {
      for (let node = nextNode(graph); node !== undefined; node = nextNode(graph)) {
        await this.run(node, graph, claim);
        if (!(await claim.write(this.persisted(graph)))) return { kind: 'handed back' };
        if (standing(graph) === 'failed') break;
      }
    } catch (error) {
      if (error instanceof TaskStopped) return { kind: 'handed back' };
      throw error;
    }
    return { kind: 'done', commands: this.ending(graph) };
  }

  /** What is said of an entry that can't be worked on. */
  failed(jobId: string): readonly Command[] {
    return jobId === '' ? [] : this.status(jobId, 'failed');
  }

  /** An entry that was delivered before: as far as it had come. */
  private async graphOf({ deliveries }: Claim, jobId: string, text: string): Promise<LangGraph> {
    if (deliveries > 1) {
      const kept = await this.options.client.hget(keyOf(jobId), 'graph');
      if (kept !== null) {
        try {
          return readGraph(kept, jobId);
        } catch (error) {
          if (!(error instanceof LangGraphError)) throw error;
        }
      }
    }
    return readGraph(text, jobId);
  }

  private async run(node: LangNode, graph: LangGraph, claim: Claim): Promise<void> {
    const { maxAttempts = 1 } = node.retries ?? {};
    for (let attempt = (node.retries?.attempt ?? 0) + 1; ; attempt++) {
      node.status = 'running';
      if (node.retries != null) node.retries = { ...node.retries, attempt };
      await claim.write(this.persisted(graph));
      const began = performance.now();
      try {
        node.output = (await this.output(node, graph, claim)) as LangNode['output'];
        node.status = 'completed';
        node.error = null;
        return;
      } catch (error) {
        if (error instanceof TaskStopped || !(error instanceof TaskError)) throw error;
        node.status = 'failed';
        const message = shorten(safeText(error.message), MAX_ERROR);
        node.error = {
          ...{ message, code: error.code },
          ...(error.details !== undefined && {
            details: error.details as NonNullable<LangNode['error']>['details'],
          }),
        };
        if (attempt >= maxAttempts) return;
      } finally {
        this.options.onNode?.(node.service, (performance.now() - began) / 1000);
      }
    }
  }

  private async output(node: LangNode, graph: LangGraph, claim: Claim): Promise<Record<string, unknown>> {
    const { house } = this.options;
    const given = inputOf(node, graph);
    node.input = given as LangNode['input'];
    if (node.service === GET_CAPABILITIES || node.service === 'get_capabilities') {
      return { workerCaps: JSON.stringify(await this.capabilities()) };
    }
    const service = findService(node.service);
    const before = typeof given['currentProgress'] === 'number' ? given['currentProgress'] : 0;
    const weight = node.progressWeight ?? 0;
    const tell = this.teller(graph.workflowId, (share) => Math.min(1, before + weight * share));
    const parameters = { ...given, ...(isObject(node.params) ? node.params : {}) };
    const { artifacts, texts } = await runWorkflow(house, {
      id: `${graph.workflowId}:${node.id}`,
      deliveries: claim.deliveries,
      ...(typeof graph.metadata?.['client'] === 'string' && { client: graph.metadata['client'] }),
      workflow: await service.workflow(parameters, house),
      onProgress: tell,
      signal: claim.signal,
    });
    tell(1, true);
    const [first] = artifacts;
    return {
      ...(first !== undefined && { [service.artifact]: first }),
      ...(artifacts.length > 0 && { artifacts }),
      ...(texts.length > 0 && { texts }),
      currentProgress: Math.min(1, before + weight),
    };
  }

  private async capabilities() {
    const { premises, checker } = this.options.house;
    const info = await checker.objectInfo();
    const classes = info === undefined ? [] : Object.keys(JSON.parse(info) as object);
    return manifest(premises().devices, classes);
  }

  /** Says how far a job is, not too often; what can't be said is of no use later. */
  private teller(
    jobId: string,
    progress: (share: number) => number,
  ): (share: number, last?: boolean) => void {
    const { client, ttl } = this.options;
    let toldAt = -Infinity;
    let most = 0;
    return (share, last = false) => {
      most = Math.max(most, share);
      if (client.status !== 'ready' || (!last && performance.now() - toldAt < PROGRESS_INTERVAL_MS)) return;
      toldAt = performance.now();
      const value = progress(most);
      void client
        .multi()
        .set(`${keyOf(jobId)}:progress`, String(value), 'EX', ttl)
        .publish(`channel:progress:${jobId}`, message(jobId, { progress: value }))
        .exec()
        .catch(() => undefined);
    };
  }

  private ending(graph: LangGraph): readonly Command[] {
    const { workflowId: jobId } = graph;
    const stands = standing(graph);
    if (stands === 'failed') return [...this.persisted(graph), ...this.status(jobId, 'failed')];
    if (stands === 'completed') {
      return [
        ...this.persisted(graph),
        ['SET', `${keyOf(jobId)}:progress`, '1', 'EX', String(this.options.ttl)],
        ['PUBLISH', `channel:progress:${jobId}`, message(jobId, { progress: 1 })],
        ...this.status(jobId, 'completed'),
      ];
    }
    const entry = ['jobId', jobId, 'created', String(Date.now()), 'graph', JSON.stringify(graph)];
    return [...this.persisted(graph), ['XADD', this.options.controlStream, '*', ...entry]];
  }

  private persisted(graph: LangGraph): readonly Command[] {
    const key = keyOf(graph.workflowId);
    return [
      ['HSET', key, 'graph', JSON.stringify(graph), 'created', String(Date.now())],
      ['EXPIRE', key, String(this.options.ttl)],
    ];
  }

  private status(jobId: string, status: 'running' | 'completed' | 'failed'): readonly Command[] {
    return [
      ['SET', `${keyOf(jobId)}:status`, status, 'EX', String(this.options.ttl)],
      ['PUBLISH', `channel:status:${jobId}`, message(jobId, { status })],
    ];
  }
}

function keyOf(jobId: string): string {
  return `job:${jobId}`;
}

function message(jobId: string, values: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ jobId, ...values, created: new Date().toISOString() });
}
