/**
 * The whole workflow against the node classes, before anything runs. As ComfyUI's `validate_prompt` (execution.py), every node
 * must be of a known class, and what the output nodes depend on must be sound; branches that lead to no output are not looked
 * at. Unlike ComfyUI, which runs the outputs that are sound and drops the others, one fault refuses the workflow.
 */
import { nearestHint } from '../nearest-names.js';
import { shorten } from '../safe-text.js';
import type { Folders } from '../models/folders.js';
import { LEFT_OUT } from '../nodes/left-out.js';
import type { AnyNodeClass } from '../nodes/definition.js';
import type { NodeRegistry } from '../nodes/index.js';
import {
  checkFurther,
  checkInput,
  missingInput,
  type PlannedInput,
  type Surroundings,
} from './check-input.js';
import { describeNodeFault, FaultList, untoldFaults, type Fault, type FaultReport } from './faults.js';
import { rememberOptions } from './input-config.js';
import { linksOf, reachable, type Edge } from './links.js';
import type { Workflow, WorkflowNode } from './parse.js';

export interface PlannedNode {
  readonly id: string;
  readonly nodeClass: AnyNodeClass;
  /** Given inputs that the class knows, converted to their types; others are ignored, as in ComfyUI. */
  readonly inputs: ReadonlyMap<string, PlannedInput>;
}

/** A workflow that can run. */
export interface Plan {
  readonly workflow: Workflow;
  /** What the outputs need, by id. */
  readonly nodes: ReadonlyMap<string, PlannedNode>;
  /** Ids of the output nodes, in the workflow's order. */
  readonly outputs: readonly string[];
}

export type Validation =
  { readonly valid: true; readonly plan: Plan } | { readonly valid: false; readonly report: FaultReport };

/** Checks a workflow and reports every fault at once, or plans its run. Runs nothing and reads no model. */
export function validateWorkflow(workflow: Workflow, registry: NodeRegistry, folders: Folders): Validation {
  const classOf = (id: string) => registry.get(workflow.nodes.get(id)?.classType ?? '');
  const around: Surroundings = {
    folders,
    optionsOf: rememberOptions(folders),
    hasNode: (id) => workflow.nodes.has(id),
    classOf,
  };
  const ids = [...workflow.nodes.keys()];
  const outputs = ids.filter((id) => classOf(id)?.outputNode === true);
  const unknown = ids.filter((id) => classOf(id) === undefined);
  if (outputs.length === 0 && unknown.length === 0) {
    const error = {
      type: 'prompt_no_outputs',
      message: 'Prompt has no outputs',
      details: '',
      extra_info: {},
    };
    return { valid: false, report: { error, node_errors: {} } };
  }

  const edgesOf = (id: string) => linksOf(workflow.nodes.get(id)!, classOf(id), workflow.nodes);
  const faults = new FaultList();
  const add = (id: string, describe: () => Fault) => {
    faults.add(id, workflow.nodes.get(id)!.classType, describe);
  };
  // First, as ComfyUI looks for them first: among thousands of faults, they would not be told.
  for (const id of unknown) add(id, () => unknownClass(workflow.nodes.get(id)!, registry));
  const planned = new Map<string, PlannedNode>();
  const { nodes, cycles, cycleCount } = reachable([...outputs, ...unknown], edgesOf);
  for (const { closing, path } of cycles) add(path[0]!, () => cycleFault(closing, path, workflow));
  faults.addUntold(cycleCount - cycles.length);
  for (const id of nodes) {
    const nodeClass = classOf(id);
    if (nodeClass === undefined) continue;
    const node = workflow.nodes.get(id)!;
    planned.set(
      id,
      planNode(node, nodeClass, around, (describe) => {
        add(id, describe);
      }),
    );
  }
  if (!faults.isEmpty) return { valid: false, report: reportOf(ids, faults, outputs, edgesOf) };
  return { valid: true, plan: { workflow, nodes: planned, outputs } };
}

function planNode(
  node: WorkflowNode,
  nodeClass: AnyNodeClass,
  around: Surroundings,
  addFault: (describe: () => Fault) => void,
): PlannedNode {
  const inputs = new Map<string, PlannedInput>();
  for (const [specs, required] of [
    [nodeClass.required, true],
    [nodeClass.optional, false],
  ] as const) {
    for (const [name, spec] of Object.entries(specs)) {
      const given = node.inputs.get(name);
      try {
        if (given === undefined) {
          if (required) addFault(() => missingInput(name, spec, around));
          continue;
        }
        const checked = checkInput(name, spec, given, around);
        if (checked.kind === 'fault') addFault(checked.describe);
        else inputs.set(name, checked);
      } catch (error) {
        addFault(() => exceptionFault(name, error));
      }
    }
  }
  if (nodeClass.takesMore === true) {
    for (const [name, given] of node.inputs) {
      if (Object.hasOwn(nodeClass.required, name) || Object.hasOwn(nodeClass.optional, name)) continue;
      const further = checkFurther(given, around);
      if (further !== undefined) inputs.set(name, further);
    }
  }
  return { id: node.id, nodeClass, inputs };
}

/** A list or a check that failed by itself, for instance because a folder can't be read. */
function exceptionFault(name: string, error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  return {
    type: 'exception_during_validation',
    message: 'Exception when validating node',
    details: `${name}, ${message}`,
    extra_info: { input_name: name, exception_type: error instanceof Error ? error.name : typeof error },
  };
}

function unknownClass(node: WorkflowNode, registry: NodeRegistry): Fault {
  const reason = LEFT_OUT.get(node.classType);
  const instead = reason === undefined ? undefined : `; latentd leaves this class out: ${reason}`;
  return {
    type: 'missing_node_type',
    message: `Cannot execute because node ${node.classType} does not exist.`,
    details: `Node ID '#${node.id}'${instead ?? nearestHint(node.classType, registry.keys())}`,
    extra_info: {
      node_id: node.id,
      class_type: node.classType,
      ...(node.title !== undefined && { node_title: node.title }),
    },
  };
}

/** Ids of a cycle that are told: the first and the last of them. */
const MAX_PATH = 12;

function cycleFault(closing: Edge, path: readonly string[], workflow: Workflow): Fault {
  const left = path.length - MAX_PATH;
  const shown = (texts: readonly string[]): readonly string[] =>
    left <= 0 ? texts : [...texts.slice(0, MAX_PATH / 2), `… ${left} more …`, ...texts.slice(-MAX_PATH / 2)];
  const named = path.map((id) => `${shorten(id, 40)} (${shorten(workflow.nodes.get(id)!.classType, 40)})`);
  return {
    type: 'dependency_cycle',
    message: 'Dependency cycle detected',
    details: `${shorten(closing.input, 40)}, ${shown(named).join(' → ')}`,
    extra_info: { input_name: closing.input, cycle: shown(path) },
  };
}

function reportOf(
  ids: readonly string[],
  faults: FaultList,
  outputs: readonly string[],
  edgesOf: (id: string) => readonly Edge[],
): FaultReport {
  const givesTo = new Map<string, Edge[]>();
  for (const id of ids) {
    for (const { input, from } of edgesOf(id)) {
      const edges = givesTo.get(from);
      if (edges === undefined) givesTo.set(from, [{ input, from: id }]);
      else edges.push({ input, from: id });
    }
  }
  const dependentsOf = (id: string): readonly string[] => {
    const needing = new Set(reachable([id], (from) => givesTo.get(from) ?? []).nodes);
    return outputs.filter((output) => needing.has(output));
  };
  const told = ids.filter((id) => faults.tells(id));
  return faults.report(
    (all) =>
      all.find(({ fault }) => fault.type === 'missing_node_type')?.fault ?? {
        type: 'prompt_outputs_failed_validation',
        message: 'Prompt outputs failed validation',
        details: [
          ...all.map(({ id, classType, fault }) => describeNodeFault(id, classType, fault)),
          ...untoldFaults(faults.untold),
        ].join('\n'),
        extra_info: {},
      },
    told,
    dependentsOf,
  );
}
