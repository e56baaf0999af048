/** Inputs that lie in buckets, brought here before a workflow reads them. */
import { StoreError } from '../store/artifact.js';
import type { InputStore } from '../store/fetch-inputs.js';
import type { NodeError, RunEvent, RunResult } from '../workflow/events.js';
import type { Workflow, WorkflowNode } from '../workflow/parse.js';

/** What a run tells where an input can't be had; undefined where all are here. Rejects once `signal` is aborted. */
export async function bringInputs(
  { nodes }: Workflow,
  inputs: InputStore,
  signal: AbortSignal,
  emit: (event: RunEvent) => void,
): Promise<RunResult | undefined> {
  const startedAt = performance.now();
  for (const node of nodes.values()) {
    const named = [...node.inputs.values()].filter((value): value is string => typeof value === 'string');
    const { id, classType } = node;
    try {
      await inputs.fetch(named, signal, (text) => {
        emit({ type: 'warning', text, node: id, class_type: classType });
      });
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      const error = errorOf(node, cause);
      emit({ type: 'execution_start' });
      emit({ type: 'execution_error', error, executed: [] });
      const ms = performance.now() - startedAt;
      return { status: 'error', error, outputs: {}, timings: [], cached: [], ms };
    }
  }
  return undefined;
}

function errorOf({ id, classType }: WorkflowNode, { name, message }: StoreError): NodeError {
  return {
    node_id: id,
    node_type: classType,
    exception_type: name,
    exception_message: message,
    traceback: [],
    current_inputs: {},
  };
}
