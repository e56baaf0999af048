/**
 * The whole workflow against the node classes, before anything runs. As ComfyUI's `validate_prompt` (execution.py), every node
 * must be of a known class, and what the output nodes depend on must be sound; branches that lead to no output are not looked
 * at. Unlike ComfyUI, which runs the outputs that are sound and drops the others, one fault refuses the workflow.
 */
import { nearestHint } from '../nearest-names.js';
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
import type { Fault, FaultReport, NodeFaults } from './faults.js';
import { describeNodeFault } from './faults.js';
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
  const faults = new Map<string, Fault[]>(ids.map((id) => [id, []]));
  const planned = new Map<string, PlannedNode>();
  const { nodes, cycles } = reachable([...outputs, ...unknown], edgesOf);
  for (const { closing, path } of cycles) faults.get(path[0]!)!.push(cycleFault(closing, path, workflow));
  for (const id of nodes) {
    const node = workflow.nodes.get(id)!;
    const nodeClass = classOf(id);
    if (nodeClass === undefined) faults.get(id)!.push(unknownClass(node, registry));
    else planned.set(id, planNode(node, nodeClass, around, faults.get(id)!));
  }

  const faulty = ids.filter((id) => faults.get(id)!.length > 0);
  if (faulty.length > 0)
    return { valid: false, report: reportOf(workflow, faulty, faults, outputs, edgesOf) };
  return { valid: true, plan: { workflow, nodes: planned, outputs } };
}

function planNode(
  node: WorkflowNode,
  nodeClass: AnyNodeClass,
  around: Surroundings,
  faults: Fault[],
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
          if (required) faults.push(missingInput(name, spec, around));
          continue;
        }
        const checked = checkInput(name, spec, given, around);
        if (checked.kind === 'fault') faults.push(checked.fault);
        else inputs.set(name, checked);
      } catch (error) {
        faults.push(exceptionFault(name, error));
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

function cycleFault(closing: Edge, path: readonly string[], workflow: Workflow): Fault {
  const named = path.map((id) => `${id} (${workflow.nodes.get(id)!.classType})`);
  return {
    type: 'dependency_cycle',
    message: 'Dependency cycle detected',
    details: `${closing.input}, ${named.join(' → ')}`,
    extra_info: { input_name: closing.input, cycle: path },
  };
}

function reportOf(
  workflow: Workflow,
  faulty: readonly string[],
  faults: ReadonlyMap<string, readonly Fault[]>,
  outputs: readonly string[],
  edgesOf: (id: string) => readonly Edge[],
): FaultReport {
  const dependents = new Map<string, string[]>(faulty.map((id) => [id, []]));
  for (const output of outputs) {
    for (const id of reachable([output], edgesOf).nodes) dependents.get(id)?.push(output);
  }
  const nodeErrors = faulty.map((id): [string, NodeFaults] => [
    id,
    {
      errors: faults.get(id)!,
      dependent_outputs: dependents.get(id)!,
      class_type: workflow.nodes.get(id)!.classType,
    },
  ]);
  const all = nodeErrors.flatMap(([id, node]) => node.errors.map((fault) => ({ id, node, fault })));
  const missing = all.find(({ fault }) => fault.type === 'missing_node_type')?.fault;
  const details = all.map(({ id, node, fault }) => describeNodeFault(id, node.class_type, fault)).join('\n');
  return {
    error: missing ?? {
      type: 'prompt_outputs_failed_validation',
      message: 'Prompt outputs failed validation',
      details,
      extra_info: {},
    },
    node_errors: Object.fromEntries(nodeErrors),
  };
}
