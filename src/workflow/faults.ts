/**
 * What is wrong with a workflow, in the shape in which ComfyUI's /prompt answers (execution.py, validate_prompt), so that its
 * clients can show it. Plain JSON throughout.
 */
import { safeLine, shorten } from '../safe-text.js';
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
  /** Where there are more faults than are told, its `extra_info.untold_faults` says how many. */
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

/** Faults that are told; of a workflow with more, the others are counted. */
const MAX_TOLD = 20;
/** Characters of a fault's message and details; ComfyUI names the options of lists of up to 20. */
const MAX_MESSAGE = 300;
const MAX_DETAILS = 1500;
/** Characters of an id or class, and of any other text that a fault quotes. */
const MAX_NAME = 200;
/** Values of a list or an object that a fault quotes. */
const MAX_VALUES = 64;
const MAX_DEPTH = 4;

export interface ToldFault {
  readonly id: string;
  readonly classType: string;
  readonly fault: Fault;
}

/**
 * The faults of a workflow while they are found. However many there are and however long what they quote, a report stays
 * small: it goes to terminals, logs, journals and clients.
 */
export class FaultList {
  private readonly nodes = new Map<string, { readonly classType: string; readonly errors: Fault[] }>();
  private count = 0;

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** How many were found and not kept. */
  get untold(): number {
    return Math.max(0, this.count - MAX_TOLD);
  }

  /** Whether a node has faults that are told. */
  tells(id: string): boolean {
    return this.nodes.has(id);
  }

  /** Counts a fault of a node. `describe` is asked for it only if it will be told, so it may be costly. */
  add(id: string, classType: string, describe: () => Fault): void {
    if (this.count++ >= MAX_TOLD) return;
    const node = this.nodes.get(id) ?? { classType, errors: [] };
    this.nodes.set(id, node);
    node.errors.push(bounded(describe()));
  }

  /** Counts faults that are known to be beyond those told. */
  addUntold(count: number): void {
    this.count += count;
  }

  /** `error` of the report, and by node what was found, in the order of `ids`. `dependentsOf` names outputs by node id. */
  report(
    error: (told: readonly ToldFault[]) => Fault,
    ids: Iterable<string> = this.nodes.keys(),
    dependentsOf: (id: string) => readonly string[] = () => [],
  ): FaultReport {
    const nodes = [...ids].flatMap((id) => {
      const node = this.nodes.get(id);
      return node === undefined ? [] : [{ id, ...node }];
    });
    const told = nodes.flatMap(({ id, classType, errors }) =>
      errors.map((fault) => ({ id, classType, fault })),
    );
    const { extra_info: info, ...rest } = error(told);
    const untold = this.untold === 0 ? info : { ...info, untold_faults: this.untold };
    return {
      error: { ...rest, extra_info: untold },
      node_errors: Object.fromEntries(
        nodes.map(({ id, classType, errors }): [string, NodeFaults] => [
          shorten(id, MAX_NAME),
          {
            errors,
            dependent_outputs: dependentsOf(id)
              .slice(0, MAX_TOLD)
              .map((output) => shorten(output, MAX_NAME)),
            class_type: shorten(classType, MAX_NAME),
          },
        ]),
      ),
    };
  }
}

/** `and 3 more faults`, or nothing where all are told. */
export function untoldFaults(untold: number): string[] {
  return untold === 0 ? [] : [`and ${untold} more ${untold === 1 ? 'fault' : 'faults'}`];
}

/** A fault that quotes no more of a workflow than a person reads. */
function bounded({ type, message, details, extra_info: info }: Fault): Fault {
  return {
    type,
    message: shorten(message, MAX_MESSAGE),
    details: shorten(details, MAX_DETAILS),
    extra_info: boundedJson(info, 0) as Fault['extra_info'],
  };
}

function boundedJson(value: Json, depth: number): Json {
  if (typeof value === 'string') return shorten(value, MAX_NAME);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return '…';
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const told = items.slice(0, MAX_VALUES).map((item) => boundedJson(item, depth + 1));
    return items.length > MAX_VALUES ? [...told, `… (${items.length} values)`] : told;
  }
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.slice(0, MAX_VALUES).map(([key, item]) => [shorten(key, MAX_NAME), boundedJson(item, depth + 1)]),
  );
}

/** The report for a person: a line for each fault of each node, or the fault of the workflow as a whole. */
export function describeReport(report: FaultReport): string {
  const lines = Object.entries(report.node_errors).flatMap(([id, node]) =>
    node.errors.map((fault) => describeNodeFault(id, node.class_type, fault)),
  );
  const { message, details, extra_info: info } = report.error;
  if (lines.length === 0) return safeLine(details === '' ? message : `${message}: ${details}`, MAX_DETAILS);
  const untold = Number(info['untold_faults'] ?? 0);
  const count = lines.length + untold;
  return [
    `The workflow has ${count === 1 ? 'a fault' : `${count} faults`}:`,
    ...[...lines, ...untoldFaults(untold)].map((line) => `  ${line}`),
  ].join('\n');
}

/** `node 3 (KSampler): Value 0 smaller than min of 1: steps; expected INT from 1 to 10000`, on one line */
export function describeNodeFault(id: string, classType: string, fault: Fault): string {
  const name = shorten(id, MAX_NAME);
  const where = classType === '' ? `node ${name}` : `node ${name} (${shorten(classType, MAX_NAME)})`;
  const what = fault.details === '' ? fault.message : `${fault.message}: ${fault.details}`;
  const expected = expectation(fault.extra_info['input_config']);
  return safeLine(`${where}: ${what}${expected === undefined ? '' : `; expected ${expected}`}`, Infinity);
}

/** ComfyUI's `(type, options)` tuple in words; lists of options are in the fault's details already. */
function expectation(config: Json | undefined): string | undefined {
  if (!Array.isArray(config)) return undefined;
  const [type, options] = config as readonly Json[];
  if (typeof type !== 'string') return undefined;
  const { min, max } = (options ?? {}) as Readonly<Record<string, number | string | undefined>>;
  return min === undefined || max === undefined ? type : `${type} from ${min} to ${max}`;
}
