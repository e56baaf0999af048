/** What ComfyUI tells its clients while a prompt runs (execution.py, comfy_execution/progress.py, main.py). */
import type { JobEvent } from '../../engine-process/messages.js';
import type { Milestone, StoredJob } from '../../jobs/job.js';
import type { NodeError } from '../../workflow/events.js';

/** A JSON message, as sockets carry it. */
export interface ComfyMessage {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface NodeIds {
  readonly display_node_id: string;
  /** Of a node that another has expanded into. */
  readonly parent_node_id: string | null;
  readonly real_node_id: string;
}

/** A node that `5` has expanded into is `5.0.0.1`: the call, the graph of that call, and the node in it. */
export function idsOf(node: string, displayNode = node): NodeIds {
  const parts = node.split('.');
  const isExpanded = parts.length > 3;
  return {
    display_node_id: displayNode,
    parent_node_id: isExpanded ? parts.slice(0, -3).join('.') : null,
    real_node_id: isExpanded ? parts[0]! : node,
  };
}

/** The messages of a job's end that ComfyUI keeps in its history. */
export function endMessages({
  id,
  outcome,
  finishedAt,
  startedAt = finishedAt,
}: StoredJob): readonly ComfyMessage[] {
  if (outcome === undefined) return [];
  const { milestones = [], state, error = '' } = outcome;
  const nodes = milestones.flatMap((each) => (each.type === 'execution_cached' ? each.nodes : []));
  const told = milestones.map((milestone) => milestoneMessage(id, milestone, nodes));
  const ends = milestones.some(({ type }) => ENDS[state].includes(type));
  const begins = milestones.some(({ type }) => type === 'execution_start');
  return [
    ...(begins ? [] : [{ type: 'execution_start', data: { prompt_id: id, timestamp: startedAt } }]),
    ...told,
    ...(ends ? [] : [endMessage(id, state, error, finishedAt ?? 0)]),
  ];
}

const ENDS: Readonly<Record<'completed' | 'failed' | 'cancelled', readonly Milestone['type'][]>> = {
  completed: ['execution_success'],
  failed: ['execution_error'],
  cancelled: ['execution_interrupted'],
};

/** The end of a job whose engine had no last word. */
export function endMessage(
  id: string,
  state: 'completed' | 'failed' | 'cancelled',
  error: string,
  timestamp: number,
): ComfyMessage {
  const about = { prompt_id: id, node_id: null, node_type: null, executed: [] };
  if (state === 'completed') return { type: 'execution_success', data: { prompt_id: id, timestamp } };
  if (state === 'cancelled') return { type: 'execution_interrupted', data: { ...about, timestamp } };
  return {
    type: 'execution_error',
    data: {
      ...about,
      exception_message: error,
      exception_type: 'RuntimeError',
      traceback: [],
      current_inputs: {},
      current_outputs: [],
      timestamp,
    },
  };
}

/** A message about a workflow as a whole; `outputs` are the nodes whose results are known. */
export function milestoneMessage(id: string, event: Milestone, outputs: readonly string[]): ComfyMessage {
  const timestamp = Math.trunc(event.at);
  switch (event.type) {
    case 'execution_start':
    case 'execution_success':
      return { type: event.type, data: { prompt_id: id, timestamp } };
    case 'execution_cached':
      return { type: event.type, data: { nodes: event.nodes, prompt_id: id, timestamp } };
    case 'execution_interrupted': {
      const { node, class_type: type, executed } = event;
      return {
        type: event.type,
        data: { prompt_id: id, node_id: node, node_type: type, executed, timestamp },
      };
    }
    case 'execution_blocked':
    case 'execution_error':
      return {
        type: 'execution_error',
        data: { ...errorData(id, event.error, event.executed, outputs), timestamp },
      };
  }
}

function errorData(id: string, error: NodeError, executed: readonly string[], outputs: readonly string[]) {
  const { node_id, node_type, exception_message: message, exception_type, traceback, current_inputs } = error;
  return {
    prompt_id: id,
    node_id,
    node_type,
    executed,
    // ComfyUI puts its advice behind the message, on a line of its own.
    exception_message: `${message}\n`,
    exception_type,
    traceback,
    current_inputs,
    current_outputs: outputs,
  };
}

export function isMilestone(event: JobEvent): event is Milestone {
  return event.type.startsWith('execution_');
}
