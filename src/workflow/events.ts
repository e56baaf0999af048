/**
 * What a run tells while it goes on and when it is over. Named as ComfyUI's messages; plain data that can be sent to another
 * process, but for the tensor of a preview.
 */
import type { StepProgress } from '../nodes/context.js';
import type { NodeUi } from '../nodes/definition.js';
import type { FaultReport } from './faults.js';
import type { Json } from './literal.js';

/** A node's exception, as ComfyUI's `execution_error` message describes it. */
export interface NodeError {
  readonly node_id: string;
  readonly node_type: string;
  /** Where it is a node that this one has expanded into. */
  readonly expanded_node?: string;
  readonly expanded_type?: string;
  readonly exception_type: string;
  readonly exception_message: string;
  /** JavaScript stack lines, innermost first. */
  readonly traceback: readonly string[];
  /** What the node was given, a list an input: short values as they are, tensors and models by their form. */
  readonly current_inputs: Readonly<Record<string, readonly Json[]>>;
}

export interface NodeTiming {
  readonly node: string;
  readonly class_type: string;
  readonly ms: number;
}

/**
 * A node of the workflow, or one that another node has expanded into: `5.0.0.1`. That one is shown as its `display_node`, which
 * is left out where it is the node itself.
 */
interface OfNode {
  readonly node: string;
  readonly display_node?: string;
  readonly class_type: string;
}

export type RunEvent =
  /** `faults` say why outputs that are left out can't run. */
  | { readonly type: 'execution_start'; readonly faults?: FaultReport }
  /** Nodes whose results are known from earlier runs. */
  | { readonly type: 'execution_cached'; readonly nodes: readonly string[] }
  | ({ readonly type: 'executing' } & OfNode)
  | ({
      readonly type: 'progress';
      /** 1 after the first step. */
      readonly step: number;
      readonly total_steps: number;
      /** What a preview is made of; not plain data. */
      readonly preview?: Required<Pick<StepProgress, 'denoised'>> &
        Pick<StepProgress, 'latentRgb' | 'tinyDecoder'>;
    } & OfNode)
  /** Something that doesn't stop the run. */
  | ({ readonly type: 'warning'; readonly text: string } & OfNode)
  | ({
      readonly type: 'executed';
      readonly ui?: NodeUi;
      /** The result, `ui` included, is an earlier one. */
      readonly cached: boolean;
      readonly ms: number;
    } & OfNode)
  /** A node that isn't run because what it is given says so; the run goes on. ComfyUI's `execution_error` of `ExecutionBlocked`. */
  | { readonly type: 'execution_blocked'; readonly error: NodeError; readonly executed: readonly string[] }
  | { readonly type: 'execution_error'; readonly error: NodeError; readonly executed: readonly string[] }
  /** `node` was running, or would have been next. */
  | ({ readonly type: 'execution_interrupted'; readonly executed: readonly string[] } & OfNode)
  | { readonly type: 'execution_success' };

interface RunReport {
  /** What nodes saved or showed, by node id; earlier results of unchanged nodes too. */
  readonly outputs: Readonly<Record<string, NodeUi>>;
  /** The nodes that ran, in that order; a node that failed is the last. */
  readonly timings: readonly NodeTiming[];
  /** Ids of nodes whose earlier results stood for them. */
  readonly cached: readonly string[];
  /** Why outputs that were left out can't run. */
  readonly faults?: FaultReport;
  /** Milliseconds from start to end. */
  readonly ms: number;
}

export type RunResult =
  | (RunReport & { readonly status: 'success' })
  | (RunReport & { readonly status: 'error'; readonly error: NodeError })
  | (RunReport & { readonly status: 'interrupted'; readonly node: string });
