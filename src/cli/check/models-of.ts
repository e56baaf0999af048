/** The model files that a workflow names: those that are there, and where others can be had. */
import type { Folders } from '../../models/folders/folders.js';
import { MODEL_KINDS, type ModelKind } from '../../models/folders/model-folders.js';
import { wellKnownModels } from '../../models/folders/well-known.js';
import { nearestNames } from '../../nearest-names.js';
import type { PlainInput } from '../../nodes/definition.js';
import type { NodeRegistry } from '../../nodes/index.js';
import { listOf, objectOf, textOf } from '../../workflow/editor/graph.js';
import { inputTable } from '../../workflow/input-table.js';
import { isLiteralObject, type Literal } from '../../workflow/literal.js';
import type { Workflow, WorkflowNode } from '../../workflow/parse.js';
import { inspectModel } from '../inspect-model.js';
import type { LackedModel, UsedModel } from './report.js';

export interface NamedModels {
  readonly used: readonly UsedModel[];
  readonly missing: readonly LackedModel[];
}

export function modelsOf(workflow: Workflow, registry: NodeRegistry, folders: Folders): NamedModels {
  const used = new Map<string, UsedModel>();
  const missing = new Map<string, LackedModel>();
  const said = addressesIn(workflow);
  for (const node of workflow.nodes.values()) {
    for (const { input, name, kinds } of namedBy(node, registry, folders)) {
      const there = kinds.flatMap((kind) => {
        const listed = folders.list(kind);
        const own = [name, name.replaceAll('\\', '/')].find((each) => listed.includes(each));
        return own === undefined ? [] : [{ kind, own }];
      })[0];
      if (there !== undefined) {
        const key = `${there.kind}\n${there.own}`;
        if (!used.has(key)) used.set(key, describe(folders, there.kind, there.own));
      } else if (!missing.has(name)) {
        missing.set(name, { ...whereabouts(name, kinds, folders, said), node: node.id, input });
      }
    }
  }
  return { used: [...used.values()], missing: [...missing.values()] };
}

interface Named {
  readonly input: string;
  readonly name: string;
  /** Folders of which one has it; none where only the name says that it is a model. */
  readonly kinds: readonly ModelKind[];
}

const MODEL_FILE = /\.(safetensors|sft|ckpt|pt|pth|bin|gguf|onnx)$/i;

function namedBy(node: WorkflowNode, registry: NodeRegistry, folders: Folders): Named[] {
  const nodeClass = registry.get(node.classType);
  const table = nodeClass && inputTable(nodeClass, node.inputs);
  return [...node.inputs].flatMap(([input, name]): Named[] => {
    if (typeof name !== 'string' || name === '') return [];
    const spec = table?.inputs.get(input)?.spec;
    const kinds = spec === undefined ? [] : kindsOf(spec, folders);
    if (kinds.length === 0)
      return spec === undefined && MODEL_FILE.test(name) ? [{ input, name, kinds: knownKinds(name) }] : [];
    // A list may have more than files: "none", "taesd".
    const isListed =
      spec?.kind === 'COMBO' && typeof spec.options === 'function' && spec.options(folders).includes(name);
    return isListed && !MODEL_FILE.test(name) ? [] : [{ input, name, kinds }];
  });
}

/** The folders that a list of options is made of, found by making it. */
function kindsOf(spec: PlainInput, folders: Folders): readonly ModelKind[] {
  if (spec.kind !== 'COMBO' || typeof spec.options !== 'function') return [];
  const kinds = new Set<ModelKind>();
  const watched: Folders = new Proxy(folders, {
    get(target, property, receiver) {
      if (property !== 'list') return Reflect.get(target, property, receiver) as unknown;
      return (kind: ModelKind) => {
        kinds.add(kind);
        return target.list(kind);
      };
    },
  });
  spec.options(watched);
  return [...kinds];
}

function knownKinds(name: string): ModelKind[] {
  const folders = new Set(wellKnownModels(name).map(({ folder }) => folder));
  return MODEL_KINDS.filter((kind) => folders.has(kind));
}

function describe(folders: Folders, kind: ModelKind, name: string): UsedModel {
  const { size, family, error } = inspectModel(folders, kind, name);
  return {
    name,
    kind,
    bytes: size,
    ...(family !== undefined && { family }),
    ...(error !== undefined && { error }),
  };
}

function whereabouts(
  name: string,
  kinds: readonly ModelKind[],
  folders: Folders,
  said: ReadonlyMap<string, string>,
): Pick<LackedModel, 'name' | 'kind' | 'nearest' | 'from' | 'bytes'> {
  const listed = kinds.flatMap((kind) => folders.list(kind));
  const [known] = wellKnownModels(name, kinds[0]);
  const kind = kinds[0] ?? known?.folder;
  const from = known?.from ?? said.get(fileName(name));
  return {
    name,
    ...(kind !== undefined && { kind }),
    nearest: nearestFiles(name, listed),
    ...(from !== undefined && { from }),
    ...(known?.size !== undefined && { bytes: known.size }),
  };
}

/** By their names alone: endings that all have would make all alike. */
function nearestFiles(name: string, listed: readonly string[]): readonly string[] {
  const files = new Map(listed.map((file) => [file.replace(MODEL_FILE, ''), file]));
  const wanted = name.replaceAll('\\', '/').replace(MODEL_FILE, '');
  return nearestNames(wanted, files.keys()).map((near) => files.get(near)!);
}

/** ComfyUI's templates say in their nodes where their models come from: `properties.models`, of subgraphs' nodes too. */
function addressesIn({ extraData }: Workflow): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const editor = objectOf(objectOf(extraData.get('extra_pnginfo')).get('workflow'));
  const subgraphs = listOf(objectOf(editor.get('definitions')).get('subgraphs')).filter(isLiteralObject);
  for (const graph of [editor, ...subgraphs]) {
    for (const node of listOf(graph.get('nodes')).filter(isLiteralObject)) {
      for (const model of listOf(objectOf(node.get('properties')).get('models')).filter(isLiteralObject)) {
        addAddress(model.get('name'), model.get('url'), found);
      }
    }
  }
  return found;
}

function addAddress(name: Literal | undefined, url: Literal | undefined, found: Map<string, string>): void {
  const address = textOf(url);
  if (typeof name === 'string' && /^https?:\/\//.test(address)) found.set(fileName(name), address);
}

function fileName(name: string): string {
  return name.replaceAll('\\', '/').split('/').at(-1)!.toLowerCase();
}
