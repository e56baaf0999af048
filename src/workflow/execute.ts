/** Runs a plan: only what its outputs need and no earlier result stands for, one node after the other. */
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { RunContext } from '../nodes/context.js';
import type { NodeUi } from '../nodes/definition.js';
import { GraphBuilder } from '../nodes/node-graph.js';
import type { FaultReport } from './faults.js';
import type { NodeTiming, RunEvent, RunResult } from './events.js';
import { workflowMetadata } from './metadata.js';
import { NeededResults } from './needed-results.js';
import { executionOrder } from './order.js';
import type { CachedResult, ResultCache } from './result-cache.js';
import { gatherInputs, nodeError, runNode } from './run-node.js';
import { signatures } from './signature.js';
import type { Plan, PlannedNode } from './validate.js';
import type { WarningRelay } from './warnings.js';

export interface ExecuteOptions {
  /** Results of earlier runs; this run's are added, and those that this workflow has no use for are dropped. */
  readonly cache: ResultCache;
  readonly folders: RunContext['folders'];
  readonly models: RunContext['models'];
  /** What models warn of while a node uses them becomes a warning of that node. */
  readonly warnings?: WarningRelay;
  /** Whose noise samplers add; a CPU's when left out. */
  readonly noise?: RunContext['noise'];
  readonly signal?: AbortSignal;
  /** Called as things happen; must not throw. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Instead of what ComfyUI would write into pictures; JSON texts by key. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Why outputs that the plan leaves out can't run; told with its start and its end. */
  readonly faults?: FaultReport;
  /** Runs the output nodes again though nothing changed, so that their files are written again. */
  readonly forceOutputs?: boolean;
}

/**
 * Runs a plan. Never rejects for a node's sake: an exception in a node ends the run with a `NodeError`, an aborted signal ends
 * it before the next node or, where the node looks at it, within the node's next step.
 */
export function execute(plan: Plan, options: ExecuteOptions): Promise<RunResult> {
  return new Run(plan, options).result();
}

/** How a run that didn't reach its end ended. */
type Ending =
  | Pick<RunResult & { status: 'error' }, 'status' | 'error'>
  | Pick<RunResult & { status: 'interrupted' }, 'status' | 'node'>;

class Run {
  private readonly started = performance.now();
  private readonly noise: RunContext['noise'];
  private readonly signal: AbortSignal;
  private readonly emit: (event: RunEvent) => void;
  private readonly keys: ReadonlyMap<string, string>;
  private readonly cached: readonly string[];
  private readonly order: readonly string[];
  private readonly results: NeededResults;
  private readonly uis = new Map<string, NodeUi>();
  private readonly timings: NodeTiming[] = [];
  private readonly executed: string[] = [];
  private metadata: Readonly<Record<string, string>> | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly options: ExecuteOptions,
  ) {
    const { cache, folders } = options;
    this.noise = options.noise ?? {};
    this.signal = options.signal ?? new AbortController().signal;
    this.emit = options.onEvent ?? (() => undefined);
    this.metadata = options.metadata;
    this.keys = signatures(plan, { folders, noise: this.noise });
    cache.retain(new Set(this.keys.values()));
    this.cached = [...plan.nodes.keys()].filter((id) => !this.isForced(id) && cache.has(this.keyOf(id)));
    const isCached = new Set(this.cached);
    this.order = executionOrder(plan, (id) => isCached.has(id));
    this.results = new NeededResults(plan, (id) => this.keyOf(id), this.order, cache);
  }

  async result(): Promise<RunResult> {
    const { faults } = this.options;
    this.emit({ type: 'execution_start', ...(faults && { faults }) });
    this.emit({ type: 'execution_cached', nodes: this.cached });
    for (const id of this.cached)
      this.reuse(this.plan.nodes.get(id)!, this.options.cache.get(this.keyOf(id))!);
    for (const id of this.order) {
      // Lets a cancellation from outside arrive, whether or not nodes ever wait.
      await eventLoopTurn();
      const ending = await this.turn(this.plan.nodes.get(id)!);
      if (ending !== undefined) return { ...ending, ...this.report() };
      this.results.release(id);
    }
    this.emit({ type: 'execution_success' });
    return { status: 'success', ...this.report() };
  }

  private async turn(node: PlannedNode): Promise<Ending | undefined> {
    if (this.isCancelled()) return this.interrupted(node);
    // Another node of the same signature may just have run.
    const twin = this.isForced(node.id) ? undefined : this.results.get(node.id);
    if (twin !== undefined) {
      this.reuse(node, twin);
      return undefined;
    }
    this.emit({ type: 'executing', node: node.id, class_type: node.nodeClass.name });
    const inputs = gatherInputs(node, (id) => this.results.get(id)!);
    const context = this.contextOf(node);
    this.options.warnings?.redirect(context.warn);
    const started = performance.now();
    try {
      const result = await runNode(node.nodeClass, inputs, context);
      this.keep(node, result, this.time(node, started));
      return undefined;
    } catch (thrown) {
      this.time(node, started);
      if (this.isCancelled()) return this.interrupted(node);
      const error = nodeError(node, inputs, thrown);
      this.emit({ type: 'execution_error', error, executed: [...this.executed] });
      return { status: 'error', error };
    } finally {
      this.options.warnings?.redirect(undefined);
    }
  }

  private keep(node: PlannedNode, result: CachedResult, ms: number): void {
    this.options.cache.set(this.keyOf(node.id), result);
    this.results.set(node.id, result);
    this.executed.push(node.id);
    this.tellExecuted(node, result, false, ms);
  }

  private reuse(node: PlannedNode, result: CachedResult): void {
    // As in ComfyUI, an intermediate result from an earlier run is silent.
    if (node.nodeClass.outputNode === true || result.ui !== undefined)
      this.tellExecuted(node, result, true, 0);
  }

  private tellExecuted(node: PlannedNode, { ui }: CachedResult, cached: boolean, ms: number): void {
    if (ui !== undefined) this.uis.set(node.id, ui);
    const event = { type: 'executed', node: node.id, class_type: node.nodeClass.name, cached, ms } as const;
    this.emit(ui === undefined ? event : { ...event, ui });
  }

  private interrupted(node: PlannedNode): Ending {
    this.emit({
      type: 'execution_interrupted',
      node: node.id,
      class_type: node.nodeClass.name,
      executed: [...this.executed],
    });
    return { status: 'interrupted', node: node.id };
  }

  private time(node: PlannedNode, started: number): number {
    const ms = performance.now() - started;
    this.timings.push({ node: node.id, class_type: node.nodeClass.name, ms });
    return ms;
  }

  private report() {
    return {
      outputs: Object.fromEntries(this.uis),
      timings: this.timings,
      cached: this.cached,
      ...(this.options.faults && { faults: this.options.faults }),
      ms: performance.now() - this.started,
    };
  }

  private contextOf(node: PlannedNode): RunContext {
    const metadata = () => (this.metadata ??= workflowMetadata(this.plan, this.options.folders));
    return {
      folders: this.options.folders,
      models: this.options.models,
      noise: this.noise,
      signal: this.signal,
      nodeId: node.id,
      receivedTypes: {},
      newGraph: () => new GraphBuilder(`${node.id}.0.0.`),
      get metadata() {
        return metadata();
      },
      progress: ({ step, totalSteps, denoised, latentRgb }) => {
        const preview = denoised && { denoised, ...(latentRgb && { latentRgb }) };
        this.emit({
          type: 'progress',
          node: node.id,
          class_type: node.nodeClass.name,
          step,
          total_steps: totalSteps,
          ...(preview && { preview }),
        });
      },
      warn: (text) => {
        this.emit({ type: 'warning', node: node.id, class_type: node.nodeClass.name, text });
      },
    };
  }

  private isCancelled(): boolean {
    return this.signal.aborted;
  }

  private isForced(id: string): boolean {
    return this.options.forceOutputs === true && this.plan.nodes.get(id)!.nodeClass.outputNode === true;
  }

  private keyOf(id: string): string {
    return this.keys.get(id)!;
  }
}
