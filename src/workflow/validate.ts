/**
 * The whole workflow against the node classes, before anything runs. As ComfyUI's `validate_prompt` (execution.py), every node
 * must be of a known class, and what the output nodes depend on must be sound; branches that lead to no output are not looked
 * at. Outputs that are sound run; the others are left out, and reported.
 */
import { nearestHint } from '../nearest-names.js';
import { shorten } from '../safe-text.js';
import type { Folders } from '../models/folders/folders.js';
import { LEFT_OUT } from '../nodes/left-out.js';
import type { AnyNodeClass, InputCheck } from '../nodes/definition.js';
import type { NodeRegistry } from '../nodes/index.js';
import { describeOrigin } from './class-origins.js';
import { checkFurther, checkInput, missingInput } from './check-input.js';
import { describeNodeFault, FaultList, untoldFaults, type Fault, type FaultReport } from './faults.js';
import { rememberOptions } from './input-config.js';
import { inputTable } from './input-table.js';
import { linksOf, reachable, type Edge } from './links.js';
import type { Workflow, WorkflowNode } from './parse.js';
import type { Plan, PlannedNode } from './plan.js';
import type { PlannedInput, Surroundings } from './planned-input.js';

export type Validation =
  /** `report` says why the outputs that the plan leaves out can't run. */
  | { readonly valid: true; readonly plan: Plan; readonly report?: FaultReport }
  | { readonly valid: false; readonly report: FaultReport };

/**
 * Checks a workflow, reports every fault at once, and plans the run of its sound outputs, of those that the workflow's
 * `targets` name where it has some. Runs nothing and reads no model.
 */
export function validateWorkflow(workflow: Workflow, registry: NodeRegistry, folders: Folders): Validation {
  const classOf = (id: string) => registry.get(workflow.nodes.get(id)?.classType ?? '');
  const around: Surroundings = {
    folders,
    optionsOf: rememberOptions(folders),
    hasNode: (id) => workflow.nodes.has(id),
    classOf,
  };
  const ids = [...workflow.nodes.keys()];
  const targets = workflow.targets === undefined ? undefined : new Set(workflow.targets);
  const outputs = ids.filter(
    (id) => classOf(id)?.outputNode === true && (targets === undefined || targets.has(id)),
  );
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
  const faulty = new Set<string>();
  const add = (id: string, describe: () => Fault) => {
    faulty.add(id);
    faults.add(id, workflow.nodes.get(id)!.classType, describe);
  };
  // First, as ComfyUI looks for them first: among thousands of faults, they would not be told.
  for (const id of unknown) add(id, () => unknownClass(workflow.nodes.get(id)!, registry));
  const planned = new Map<string, PlannedNode>();
  const { nodes, cycles, cycleCount, closed } = reachable([...outputs, ...unknown], edgesOf);
  const cyclic = new Set<string>();
  for (const path of cycles) {
    for (const id of path) {
      // As in ComfyUI, each of its nodes; one that is on several is told of one.
      if (!cyclic.has(id)) add(id, () => cycleFault(id, path, workflow));
      cyclic.add(id);
    }
  }
  faults.addUntold(cycleCount - cycles.length);
  for (const id of closed) faulty.add(id);
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
  if (faults.isEmpty) return { valid: true, plan: { workflow, nodes: planned, outputs } };

  const dependentsOf = dependents(ids, edgesOf);
  const report = reportOf(ids, faults, outputs, dependentsOf);
  const tainted = new Set(dependentsOf(faulty));
  const sound = outputs.filter((id) => !tainted.has(id));
  if (sound.length === 0 || unknown.length > 0) return { valid: false, report };
  const needed = reachable(sound, edgesOf).nodes.map((id) => [id, planned.get(id)!] as const);
  return { valid: true, plan: { workflow, nodes: new Map(needed), outputs: sound }, report };
}

function planNode(
  node: WorkflowNode,
  nodeClass: AnyNodeClass,
  around: Surroundings,
  addFault: (describe: () => Fault) => void,
): PlannedNode {
  const inputs = new Map<string, PlannedInput>();
  const table = inputTable(nodeClass, node.inputs);
  let count = 0;
  const fault = (describe: () => Fault) => {
    count++;
    addFault(describe);
  };
  for (const [name, { spec, required }] of table.inputs) {
    const given = node.inputs.get(name);
    try {
      if (given === undefined) {
        // As ComfyUI names inputs of dynamic ones.
        const label = table.nested ? name.slice(name.lastIndexOf('.') + 1) : name;
        if (required) fault(() => missingInput(name, label, spec, around));
        continue;
      }
      const checked = checkInput(name, spec, given, around, nodeClass.validate);
      if (checked.kind === 'fault') fault(checked.describe);
      else inputs.set(name, checked);
    } catch (error) {
      fault(() => exceptionFault(name, error));
    }
  }
  if (nodeClass.takesMore === true) {
    for (const [name, given] of node.inputs) {
      if (table.inputs.has(name)) continue;
      const further = checkFurther(given, around);
      if (further !== undefined) inputs.set(name, further);
    }
  }
  const planned = { id: node.id, nodeClass, inputs, table };
  if (count === 0 && nodeClass.validate !== undefined)
    runOwnCheck(planned, nodeClass.validate, around, fault);
  return planned;
}

/** ComfyUI's VALIDATE_INPUTS, which sees what is written; what it finds is told of each input that it looks at. */
function runOwnCheck(
  { inputs }: PlannedNode,
  own: InputCheck,
  around: Surroundings,
  fault: (describe: () => Fault) => void,
): void {
  const { inputs: watched, types } = own;
  const seen = [...inputs].filter(([name]) => watched === 'all' || watched.includes(name));
  const values = seen.map(([name, input]) => [name, input.kind === 'link' ? undefined : input.value]);
  const linked = [...inputs].flatMap(([name, input]): [string, string][] => {
    const type = input.kind === 'link' && around.classOf(input.from)?.outputs[input.slot]?.type;
    return type ? [[name, type]] : [];
  });
  const found = own.check(
    Object.fromEntries(values) as Readonly<Record<string, unknown>>,
    Object.fromEntries(types === true ? linked : []),
  );
  if (found === undefined) return;
  for (const [name] of seen) fault(() => customFault(name, found));
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

function customFault(name: string, reason: string): Fault {
  return {
    type: 'custom_validation_failed',
    message: 'Custom validation failed for node',
    details: `${name} - ${reason}`,
    extra_info: { input_name: name },
  };
}

function unknownClass(node: WorkflowNode, registry: NodeRegistry): Fault {
  const reason = LEFT_OUT.get(node.classType);
  const told =
    reason === undefined
      ? describeOrigin(node.classType, (name) => registry.has(name))
      : `latentd leaves this class out: ${reason}`;
  return {
    type: 'missing_node_type',
    message: `Node '${node.title ?? node.classType}' not found. The custom node may not be installed.`,
    details: `Node ID '#${node.id}'${told === undefined ? nearestHint(node.classType, registry.keys()) : `; ${told}`}`,
    extra_info: {
      node_id: node.id,
      class_type: node.classType,
      node_title: node.title ?? node.classType,
    },
  };
}

/** Ids of a cycle that are told: the first and the last of them. */
const MAX_PATH = 12;

function cycleFault(id: string, path: readonly string[], workflow: Workflow): Fault {
  const left = path.length - MAX_PATH;
  const shown = (texts: readonly string[]): readonly string[] =>
    left <= 0 ? texts : [...texts.slice(0, MAX_PATH / 2), `… ${left} more …`, ...texts.slice(-MAX_PATH / 2)];
  const named = path.map(
    (node) => `${shorten(node, 40)} (${shorten(workflow.nodes.get(node)!.classType, 40)})`,
  );
  return {
    type: 'dependency_cycle',
    message: 'Dependency cycle detected',
    details: shown(named).join(' -> '),
    extra_info: { node_id: id, cycle_nodes: shown(path).slice(0, -1) },
  };
}

/** What depends on any of some nodes, and these themselves. */
type DependentsOf = (ids: Iterable<string>) => readonly string[];

function dependents(ids: readonly string[], edgesOf: (id: string) => readonly Edge[]): DependentsOf {
  const givesTo = new Map<string, Edge[]>();
  for (const id of ids) {
    for (const { input, from } of edgesOf(id)) {
      const edges = givesTo.get(from);
      if (edges === undefined) givesTo.set(from, [{ input, from: id }]);
      else edges.push({ input, from: id });
    }
  }
  return (from) => reachable([...from], (id) => givesTo.get(id) ?? []).nodes;
}

function reportOf(
  ids: readonly string[],
  faults: FaultList,
  outputs: readonly string[],
  dependentsOf: DependentsOf,
): FaultReport {
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
    ids.filter((id) => faults.tells(id)),
    (id) => {
      const needing = new Set(dependentsOf([id]));
      return outputs.filter((output) => needing.has(output));
    },
  );
}
