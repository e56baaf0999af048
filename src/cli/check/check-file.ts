/** Looks at one workflow file as a run would, and runs nothing. */
import type { Folders } from '../../models/folders/folders.js';
import { availableMemory } from '../../models/programs/available-memory.js';
import type { NodeRegistry } from '../../nodes/index.js';
import { CORE, packOf } from '../../workflow/class-origins.js';
import { editorReader } from '../../workflow/editor/from-editor.js';
import { describeNodeFault, WorkflowError, type FaultReport } from '../../workflow/faults.js';
import { inputTable } from '../../workflow/input-table.js';
import { linksOf, reachable } from '../../workflow/links.js';
import { parseWorkflow, type Workflow } from '../../workflow/parse.js';
import { validateWorkflow } from '../../workflow/validate.js';
import { readWorkflow } from '../run/read-workflow.js';
import { modelsOf } from './models-of.js';
import type { FileReport, LackedClass, LackedModel } from './report.js';
import { workingBytes } from './working-memory.js';

export interface CheckedPlaces {
  readonly registry: NodeRegistry;
  readonly folders: Folders;
  readonly graphs: string;
}

/** Throws `UsageError` for a file that can't be read. */
export async function checkFile(file: string, around: CheckedPlaces): Promise<FileReport> {
  try {
    const { text } = await readWorkflow(file, around.graphs);
    const fromEditor = editorReader(around.registry, around.folders);
    return checkWorkflow(file, parseWorkflow(text, { fromEditor }), around);
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    const faults = linesOf(error.report, () => true);
    return { ...NOTHING, file, faults };
  }
}

const NOTHING = {
  can_run: false,
  outputs: [],
  missing_classes: [],
  missing_models: [],
  models: [],
  ignored: [],
} as const;

function checkWorkflow(file: string, workflow: Workflow, { registry, folders }: CheckedPlaces): FileReport {
  const validation = validateWorkflow(workflow, registry, folders);
  const outputs = validation.valid ? validation.plan.outputs : [];
  const { used, missing } = modelsOf(workflow, registry, folders);
  const classes = missingClasses(workflow, registry);
  const report = validation.report;
  const faults = report === undefined ? [] : linesOf(report, (fault) => !isTold(fault, missing));
  const unusable = used.some(({ error }) => error !== undefined);
  const working = workingBytes(workflow, used, folders);
  return {
    file,
    can_run: validation.valid && report === undefined && !unusable,
    outputs,
    missing_classes: classes,
    missing_models: missing,
    models: used,
    faults,
    ignored: ignoredIn(workflow, registry),
    memory: {
      model_bytes: used.reduce((sum, { bytes }) => sum + bytes, 0),
      ...(working !== undefined && { working_bytes: working }),
      available_bytes: availableMemory(),
    },
  };
}

type Fault = FaultReport['error'];

/** What the lists of missing classes and models say already. */
function isTold({ type, extra_info: info }: Fault, missing: readonly LackedModel[]): boolean {
  if (type === 'missing_node_type') return true;
  return missing.some(({ name, input }) => info['input_name'] === input && info['received_value'] === name);
}

function linesOf({ error, node_errors: nodes }: FaultReport, keeps: (fault: Fault) => boolean): string[] {
  const lines = Object.entries(nodes).flatMap(([id, node]) =>
    node.errors.filter(keeps).map((fault) => describeNodeFault(id, node.class_type, fault)),
  );
  if (Object.keys(nodes).length > 0) return lines;
  return [error.details === '' ? error.message : `${error.message}: ${error.details}`];
}

const MAX_NODES = 10;

function missingClasses(workflow: Workflow, registry: NodeRegistry): LackedClass[] {
  const nodes = new Map<string, string[]>();
  for (const { id, classType } of workflow.nodes.values()) {
    if (!registry.has(classType)) nodes.set(classType, [...(nodes.get(classType) ?? []), id]);
  }
  return [...nodes].map(([name, ids]) => {
    const pack = packOf(name);
    return {
      class_type: name,
      nodes: ids.slice(0, MAX_NODES),
      ...(pack !== undefined && {
        pack: pack.repository,
        ...(pack.repository !== CORE && { has: pack.classes.filter((each) => registry.has(each)) }),
      }),
    };
  });
}

/** Inputs that no class takes, and nodes that no output needs. */
function ignoredIn(workflow: Workflow, registry: NodeRegistry): string[] {
  const nodes = [...workflow.nodes.values()];
  const inputs = nodes.flatMap((node) => {
    const nodeClass = registry.get(node.classType);
    if (nodeClass === undefined || nodeClass.takesMore === true) return [];
    const known = inputTable(nodeClass, node.inputs).inputs;
    const strange = [...node.inputs.keys()].filter((name) => !known.has(name));
    return strange.map(
      (name) =>
        `node ${node.id} (${node.classType}): input ${JSON.stringify(name)}, which the class doesn't take`,
    );
  });
  // Of a class that isn't there, nobody knows whether it is an output.
  const ends = nodes.filter(
    ({ classType }) => registry.get(classType)?.outputNode ?? !registry.has(classType),
  );
  const needed = new Set(
    reachable(
      ends.map(({ id }) => id),
      (id) => {
        const node = workflow.nodes.get(id)!;
        return linksOf(node, registry.get(node.classType), workflow.nodes);
      },
    ).nodes,
  );
  const loose = nodes
    .filter(({ id }) => !needed.has(id))
    .map(({ id, classType }) => `node ${id} (${classType}), which no output needs`);
  return [...inputs, ...loose];
}
