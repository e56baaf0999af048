/**
 * What is wrong with a workflow, in the shape in which ComfyUI's /prompt answers (execution.py, validate_prompt), so that its
 * clients can show it. Plain JSON throughout.
 */
import type { Json } from './literal.js';

export interface Fault {
  /** ComfyUI's name of the kind of fault: `required_input_missing`, `value_not_in_list`, … */
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info: Readonly<Record<string, Json>>;
}

export interface NodeFaults {
  readonly errors: readonly Fault[];
  /** The output nodes that can't run because of this node. */
  readonly dependent_outputs: readonly string[];
  readonly class_type: string;
}

export interface FaultReport {
  readonly error: Fault;
  /** By node id. */
  readonly node_errors: Readonly<Record<string, NodeFaults>>;
}

/** A workflow that can't be run; `report` says why in ComfyUI's shape, `message` in words. */
export class WorkflowError extends Error {
  override readonly name = 'WorkflowError';

  constructor(readonly report: FaultReport) {
    super(describeReport(report));
  }
}

/** The report for a person: a line for each fault of each node, or the fault of the workflow as a whole. */
export function describeReport(report: FaultReport): string {
  const lines = Object.entries(report.node_errors).flatMap(([id, node]) =>
    node.errors.map((fault) => `  ${describeNodeFault(id, node.class_type, fault)}`),
  );
  const { message, details } = report.error;
  if (lines.length === 0) return details === '' ? message : `${message}: ${details}`;
  return [`The workflow has ${lines.length === 1 ? 'a fault' : `${lines.length} faults`}:`, ...lines].join(
    '\n',
  );
}

/** `node 3 (KSampler): Value 0 smaller than min of 1: steps; expected INT from 1 to 10000` */
export function describeNodeFault(id: string, classType: string, fault: Fault): string {
  const where = classType === '' ? `node ${id}` : `node ${id} (${classType})`;
  const what = fault.details === '' ? fault.message : `${fault.message}: ${fault.details}`;
  const expected = expectation(fault.extra_info['input_config']);
  return `${where}: ${what}${expected === undefined ? '' : `; expected ${expected}`}`;
}

/** ComfyUI's `(type, options)` tuple in words; lists of options are in the fault's details already. */
function expectation(config: Json | undefined): string | undefined {
  if (!Array.isArray(config)) return undefined;
  const [type, options] = config as readonly Json[];
  if (typeof type !== 'string') return undefined;
  const { min, max } = (options ?? {}) as Readonly<Record<string, number | string | undefined>>;
  return min === undefined || max === undefined ? type : `${type} from ${min} to ${max}`;
}
