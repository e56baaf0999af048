/** What the nodes of a run may use: contexts, hidden inputs, and what events call them. */
import { shorten } from '../safe-text.js';
import type { RunContext, StepProgress } from '../nodes/context.js';
import { ExecutionBlocker } from '../nodes/definition.js';
import type { HiddenName, HiddenTypes } from '../nodes/hidden.js';
import { NodeGraphBuilder } from '../nodes/node-graph.js';
import { plainValue } from './check-input.js';
import type { RunEvent } from './events.js';
import { promptAsRun, workflowMetadata } from './metadata.js';
import type { Plan, PlannedNode } from './plan.js';
import type { RunningGraph } from './running-graph.js';

type Plain = Readonly<Record<string, unknown>>;

export class NodeContexts {
  /** What a blocker is handed on as when its message has been told. */
  readonly silentBlocker = new ExecutionBlocker();
  private metadata: Readonly<Record<string, string>> | undefined;
  private prompt: Plain | undefined;

  constructor(
    private readonly graph: RunningGraph,
    private readonly plan: Plan,
    private readonly emit: (event: RunEvent) => void,
    private readonly shared: Pick<RunContext, 'folders' | 'models' | 'noise' | 'signal' | 'fetchFile'> & {
      readonly metadata?: Readonly<Record<string, string>>;
    },
  ) {
    this.metadata = shared.metadata;
  }

  /** Of each call of a node. */
  forNode(node: PlannedNode): (call: number) => RunContext {
    const { folders } = this.shared;
    const own: NodeFacts = {
      ...this.shared,
      id: node.id,
      metadata: () => (this.metadata ??= workflowMetadata(this.plan, folders)),
      receivedTypes: () => this.graph.receivedTypes(node),
      progress: ({ step, totalSteps, denoised, ...colours }: StepProgress) => {
        const preview = denoised && { denoised, ...colours };
        const steps = { step, total_steps: totalSteps, ...(preview && { preview }) };
        this.emit({ type: 'progress', ...this.ofNode(node), ...steps });
      },
      warn: (text: string) => {
        this.emit({ type: 'warning', ...this.ofNode(node), text: shorten(text, 2000) });
      },
    };
    return (call) => new CallContext(own, call);
  }

  hidden(id: string, name: HiddenName): HiddenTypes[HiddenName] {
    switch (name) {
      case 'UNIQUE_ID':
        return id;
      case 'PROMPT':
        return (this.prompt ??= plainValue(promptAsRun(this.plan, this.shared.folders)) as Plain);
      case 'EXTRA_PNGINFO':
        return plainValue(this.plan.workflow.extraData.get('extra_pnginfo') ?? null) as Plain | undefined;
      case 'DYNPROMPT':
        return this.graph;
    }
  }

  /** The node of the workflow that a node is or belongs to. */
  real(id: string): { readonly id: string; readonly class_type: string } {
    const real = this.graph.realOf(id);
    return { id: real, class_type: this.graph.planned(real).nodeClass.name };
  }

  /** A node as events name it. */
  ofNode({ id, nodeClass }: PlannedNode) {
    const display = this.graph.displayOf(id);
    const named = { node: id, class_type: nodeClass.name };
    return display === id ? named : { ...named, display_node: display };
  }
}

/** What the contexts of a node's calls share. */
type NodeFacts = Pick<
  RunContext,
  'folders' | 'models' | 'noise' | 'signal' | 'fetchFile' | 'progress' | 'warn'
> & {
  readonly id: string;
  readonly metadata: () => RunContext['metadata'];
  readonly receivedTypes: () => RunContext['receivedTypes'];
};

/** A call's context. Small, for over lists there are thousands of calls. */
class CallContext implements RunContext {
  private graphs = 0;
  readonly newGraph = () => new NodeGraphBuilder(`${this.own.id}.${this.call}.${this.graphs++}.`);

  constructor(
    private readonly own: NodeFacts,
    private readonly call: number,
  ) {}

  get folders() {
    return this.own.folders;
  }

  get models() {
    return this.own.models;
  }

  get noise() {
    return this.own.noise;
  }

  get fetchFile() {
    return this.own.fetchFile;
  }

  get signal() {
    return this.own.signal;
  }

  get progress() {
    return this.own.progress;
  }

  get warn() {
    return this.own.warn;
  }

  get nodeId() {
    return this.own.id;
  }

  get metadata() {
    return this.own.metadata();
  }

  get receivedTypes() {
    return this.own.receivedTypes();
  }
}
