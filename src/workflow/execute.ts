/**
 * Runs a plan (ComfyUI execution.py, PromptExecutor and execute): only what its outputs need and no earlier result stands for,
 * one node after the other. Nodes may put themselves off until lazy inputs are there, or expand into others.
 */
import type { RunContext } from '../nodes/context.js';
import type { NodeUi } from '../nodes/definition.js';
import type { NodeRegistry } from '../nodes/index.js';
import { EventLoopTurns } from './event-loop.js';
import type { NodeError, NodeTiming, RunEvent, RunResult } from './events.js';
import { ExecutionList } from './execution-list.js';
import { ExpansionError, expandedNodes, expansionOutputs, expansionSources } from './expansion.js';
import type { FaultReport } from './faults.js';
import { NeededResults } from './needed-results.js';
import { NodeContexts } from './node-contexts.js';
import { gatherInputs, type GatheredInputs, type GivenLists } from './node-inputs.js';
import { linksToWaitFor, type Plan, type PlannedNode } from './plan.js';
import type { CachedResult, ResultCache } from './result-cache.js';
import { blockedError, lazyInputs, mergeCalls, nodeError, runNode, type CallResult } from './run-node.js';
import { RunningGraph } from './running-graph.js';
import { Signatures } from './signature.js';
import type { WarningRelay } from './warnings.js';

export interface ExecuteOptions {
  /** Results of earlier runs; this run's are added, and those that this workflow has no use for are dropped. */
  readonly cache: ResultCache;
  /** The classes that nodes may expand into. */
  readonly registry: NodeRegistry;
  readonly folders: RunContext['folders'];
  readonly models: RunContext['models'];
  /** What models warn of while a node uses them becomes a warning of that node. */
  readonly warnings?: WarningRelay;
  /** Whose noise samplers add; a CPU's when left out. */
  readonly noise?: RunContext['noise'];
  /** Fetches a file by its address; left out where workflows may not ask for that. */
  readonly fetchFile?: RunContext['fetchFile'];
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
  private readonly signal: AbortSignal;
  private readonly emit: (event: RunEvent) => void;
  private readonly graph: RunningGraph;
  private readonly signatures: Signatures;
  private readonly contexts: NodeContexts;
  private readonly cached: readonly string[];
  private readonly results: NeededResults;
  private readonly list: ExecutionList;
  /** Nodes that have expanded, with what their calls returned, until the nodes that they expanded into have run. */
  private readonly expanded = new Map<
    string,
    { readonly calls: readonly CallResult[]; readonly ui: NodeUi | undefined; readonly ms: number }
  >();
  private readonly begun = new Set<string>();
  private readonly uis = new Map<string, NodeUi>();
  private readonly timings: NodeTiming[] = [];
  private readonly executed: string[] = [];

  constructor(
    private readonly plan: Plan,
    private readonly options: ExecuteOptions,
  ) {
    const { cache, folders, noise = {} } = options;
    this.signal = options.signal ?? new AbortController().signal;
    this.emit = options.onEvent ?? (() => undefined);
    this.graph = new RunningGraph(plan);
    this.signatures = new Signatures((id) => this.graph.planned(id), { folders, noise });
    this.contexts = new NodeContexts(this.graph, plan, this.emit, { ...options, noise, signal: this.signal });
    const ids = [...plan.nodes.keys()];
    let roots: ReadonlySet<string> | undefined;
    const isRoot = (root: string) => (roots ??= new Set(ids.map((id) => this.rootOf(id)))).has(root);
    cache.retain(new Set(ids.map((id) => this.signatures.of(id))), isRoot);
    // In the workflow's order, as ComfyUI tells them.
    this.cached = [...plan.workflow.nodes.keys()].filter((id) => plan.nodes.has(id) && this.isKnown(id));
    this.results = new NeededResults(cache);
    this.list = new ExecutionList(
      {
        linksOf: (id) => linksToWaitFor(this.graph.planned(id)),
        isKnown: (id) => this.isKnown(id),
        isOutput: (id) => this.isOutput(id),
      },
      (id) => {
        this.results.want(id, this.signatures.of(id));
      },
      (from, to) => {
        this.results.want(to, this.signatures.of(from));
      },
    );
  }

  async result(): Promise<RunResult> {
    const { faults, cache } = this.options;
    this.emit({ type: 'execution_start', ...(faults && { faults }) });
    this.emit({ type: 'execution_cached', nodes: this.cached });
    for (const id of this.cached) this.reuse(this.graph.planned(id), cache.get(this.signatures.of(id))!);
    for (const id of this.plan.outputs) if (!this.isKnown(id)) this.list.add(id);
    const turns = new EventLoopTurns();
    // Lets a cancellation from outside arrive, whether or not nodes ever wait.
    await turns.take();
    while (!this.list.isEmpty) {
      if (turns.due) await turns.take();
      const id = this.list.next();
      const ending = id === undefined ? this.inCycle() : await this.turn(this.graph.planned(id));
      if (ending !== undefined) return { ...ending, ...this.report() };
    }
    this.emit({ type: 'execution_success' });
    return { status: 'success', ...this.report() };
  }

  /** A node's turn: it finishes, or is put off and has another. */
  private async turn(node: PlannedNode): Promise<Ending | undefined> {
    if (this.isCancelled()) return this.interrupted(node);
    // Another node of the same signature may just have run.
    const twin = this.isForced(node.id) ? undefined : this.results.get(this.signatures.of(node.id));
    if (twin !== undefined) {
      this.reuse(node, twin);
      this.finish(node);
      return undefined;
    }
    if (!this.begun.has(node.id) && !this.expanded.has(node.id))
      this.emit({ type: 'executing', ...this.contexts.ofNode(node) });
    this.begun.add(node.id);
    let lists: GivenLists = new Map();
    const started = performance.now();
    try {
      const expansion = this.expanded.get(node.id);
      if (expansion !== undefined) {
        const count = node.nodeClass.outputs.length;
        const outputs = expansionOutputs(expansion.calls, count, (id) => this.resultOf(id));
        this.keep(
          node,
          { outputs: mergeCalls(node.nodeClass, outputs), ui: expansion.ui },
          started - expansion.ms,
        );
        return undefined;
      }
      const inputs = gatherInputs(
        node,
        (id) => this.resultOf(id),
        (name) => this.contexts.hidden(node.id, name),
      );
      lists = inputs.lists;
      if (this.waitForLazy(node, inputs)) return undefined;
      await this.run(node, lists, started);
      return undefined;
    } catch (thrown) {
      this.time(node, started);
      if (this.isCancelled()) return this.interrupted(node);
      return this.failed(nodeError(node, this.contexts.real(node.id), lists, thrown));
    }
  }

  private async run(node: PlannedNode, lists: GivenLists, started: number): Promise<void> {
    const { warnings, registry, cache } = this.options;
    const contextOf = this.contexts.forNode(node);
    warnings?.redirect(contextOf(0).warn);
    try {
      const { calls, ui } = await runNode(node, lists, contextOf, (blocker) => {
        if (blocker.message === undefined) return blocker;
        this.emit({
          type: 'execution_blocked',
          error: blockedError(node, blocker.message),
          executed: [...this.executed],
        });
        return this.contexts.silentBlocker;
      });
      if (calls.every(({ expand }) => expand === undefined)) {
        const outputs = mergeCalls(
          node.nodeClass,
          calls.map((call) => call.outputs),
        );
        this.keep(node, { outputs, ui }, started);
        return;
      }
      const nodes = expandedNodes(calls, registry, (id) =>
        this.graph.has(id) ? this.graph.planned(id) : undefined,
      );
      for (const { node: child } of nodes) {
        const taken =
          this.plan.workflow.nodes.has(child.id) || (this.graph.parentOf(child.id) ?? node.id) !== node.id;
        if (taken)
          throw new ExpansionError(`the graph that it expands into has the id ${child.id}, which is taken`);
      }
      for (const { node: child, display = node.id } of nodes) this.graph.add(child, node.id, display);
      cache.retainExpansion(node.id, new Set(nodes.map(({ node: child }) => this.signatures.of(child.id))));
      for (const { node: child } of nodes) {
        if (!this.isOutput(child.id)) continue;
        if (this.isKnown(child.id)) this.reuse(child, cache.get(this.signatures.of(child.id))!);
        else this.list.add(child.id);
      }
      for (const source of expansionSources(calls)) this.list.link(source, node.id);
      this.expanded.set(node.id, { calls, ui, ms: performance.now() - started });
      this.list.postpone(node.id);
    } finally {
      warnings?.redirect(undefined);
    }
  }

  /** Puts a node off until the lazy inputs that it asks for are there; false when it needs none. */
  private waitForLazy(node: PlannedNode, { lists, missing }: GatheredInputs): boolean {
    if (node.nodeClass.checkLazy === undefined) return false;
    const needed = [...lazyInputs(node, lists)].filter((name) => missing.has(name) || !lists.has(name));
    for (const name of needed) {
      const input = node.inputs.get(name);
      if (input?.kind !== 'link')
        throw new TypeError(`it asks for its input ${name}, which is not linked to anything`);
      this.list.link(input.from, node.id);
    }
    if (needed.length > 0) this.list.postpone(node.id);
    return needed.length > 0;
  }

  private keep(node: PlannedNode, result: CachedResult, started: number): void {
    const signature = this.signatures.of(node.id);
    const parent = this.graph.parentOf(node.id);
    const owner = parent === undefined ? undefined : { parent, root: this.rootOf(node.id) };
    this.options.cache.set(signature, result, owner);
    this.results.set(signature, result);
    this.executed.push(node.id);
    this.tellExecuted(node, result, false, this.time(node, started));
    this.finish(node);
  }

  private finish({ id }: PlannedNode): void {
    this.expanded.delete(id);
    this.list.finish(id);
    this.results.release(id);
  }

  private reuse(node: PlannedNode, result: CachedResult): void {
    // As in ComfyUI, an intermediate result from an earlier run is silent.
    if (node.nodeClass.outputNode === true || result.ui !== undefined)
      this.tellExecuted(node, result, true, 0);
  }

  private tellExecuted(node: PlannedNode, { ui }: CachedResult, cached: boolean, ms: number): void {
    if (ui !== undefined) this.uis.set(node.id, ui);
    this.emit({ type: 'executed', ...this.contexts.ofNode(node), cached, ms, ...(ui && { ui }) });
  }

  private interrupted(node: PlannedNode): Ending {
    this.emit({ type: 'execution_interrupted', ...this.contexts.ofNode(node), executed: [...this.executed] });
    return { status: 'interrupted', node: this.graph.realOf(node.id) };
  }

  /** No node can run, for they wait for one another: an expanded graph goes in circles. */
  private inCycle(): Ending {
    const ids = this.list.cycle();
    const blamed = ids.find((id) => this.graph.parentOf(id) !== undefined) ?? ids[0]!;
    const error = new ExpansionError(`nodes wait for one another: ${ids.slice(0, 8).join(', ')}`);
    return this.failed(nodeError(this.graph.planned(blamed), this.contexts.real(blamed), new Map(), error));
  }

  private failed(error: NodeError): Ending {
    this.emit({ type: 'execution_error', error, executed: [...this.executed] });
    return { status: 'error', error };
  }

  private time(node: PlannedNode, started: number): number {
    const ms = performance.now() - started;
    this.timings.push({ node: node.id, class_type: node.nodeClass.name, ms });
    return ms;
  }

  private report() {
    const { faults } = this.options;
    return {
      outputs: Object.fromEntries(this.uis),
      timings: this.timings,
      cached: this.cached,
      ...(faults && { faults }),
      ms: performance.now() - this.started,
    };
  }

  private resultOf(id: string): CachedResult | undefined {
    return this.results.get(this.signatures.of(id));
  }

  /** The workflow's node that a node belongs to, as results are kept by. */
  private rootOf(id: string): string {
    const { id: real, class_type } = this.contexts.real(id);
    return JSON.stringify([real, class_type]);
  }

  private isKnown(id: string): boolean {
    return !this.isForced(id) && this.options.cache.has(this.signatures.of(id));
  }

  private isCancelled(): boolean {
    return this.signal.aborted;
  }

  private isOutput(id: string): boolean {
    return this.graph.planned(id).nodeClass.outputNode === true;
  }

  private isForced(id: string): boolean {
    return this.options.forceOutputs === true && this.isOutput(id);
  }
}
