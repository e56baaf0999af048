/** ComfyUI's `object_info` (server.py, node_info): what editors and clients read node classes from. */
import type { Folders } from '../models/folders/folders.js';
import type { AnyNodeClass, InputSpecs } from '../nodes/definition.js';
import { inputConfig, rememberOptions, type OptionsOf } from './input-config.js';
import { isLiteralObject, type Json, type Literal } from './literal.js';
import type { NodeRegistry } from '../nodes/index.js';

/** `["INT", {"default": 20, …}]`, or a list of options in the type's place. */
export type InputInfo = readonly [type: Json, options: Json];

export interface NodeInfo {
  readonly input: {
    readonly required: Readonly<Record<string, InputInfo>>;
    /** Of classes that have any. */
    readonly optional?: Readonly<Record<string, InputInfo>>;
    /** ComfyUI's name of what a node is given beside, by its own. */
    readonly hidden?: Readonly<Record<string, readonly [string]>>;
  };
  readonly input_order: { readonly required: readonly string[]; readonly optional?: readonly string[] };
  readonly output: readonly string[];
  readonly output_is_list: readonly boolean[];
  /** Inputs are lists, as a whole. */
  readonly is_input_list: boolean;
  /** Of outputs that follow an input's type, their templates. */
  readonly output_matchtypes?: readonly (string | null)[];
  readonly output_name: readonly string[];
  readonly output_tooltips?: readonly string[];
  readonly name: string;
  readonly display_name: string;
  readonly description: string;
  readonly python_module: 'nodes';
  readonly category: string;
  readonly output_node: boolean;
  readonly has_intermediate_output: false;
}

/** Every class's inputs with the options they offer now. Plain JSON: the highest seed is the double nearest to 2⁶⁴ − 1. */
export function objectInfo(registry: NodeRegistry, folders: Folders): Readonly<Record<string, NodeInfo>> {
  const optionsOf = rememberOptions(folders);
  return Object.fromEntries([...registry].map(([name, node]) => [name, nodeInfo(node, optionsOf)]));
}

/** The same of one class at a time, each made when it is first asked for. */
export function infoByName(
  registry: NodeRegistry,
  folders: Folders,
): (className: string) => NodeInfo | undefined {
  const optionsOf = rememberOptions(folders);
  const known = new Map<string, NodeInfo>();
  return (className) => {
    const node = registry.get(className);
    let info = known.get(className);
    if (node !== undefined && info === undefined) known.set(className, (info = nodeInfo(node, optionsOf)));
    return info;
  };
}

/** The same as JSON text, time and again: that of classes that offer no files is made once. */
export function objectInfoText(registry: NodeRegistry, folders: Folders): () => string {
  const fixed = new Map<string, string>();
  return () => {
    const listed = rememberOptions(folders);
    let filesAsked = 0;
    const optionsOf: OptionsOf = (spec) => {
      if (typeof spec.options === 'function') filesAsked++;
      return listed(spec);
    };
    const entries = [...registry].map(([name, node]) => {
      const known = fixed.get(name);
      if (known !== undefined) return known;
      const before = filesAsked;
      const text = `${JSON.stringify(name)}:${JSON.stringify(nodeInfo(node, optionsOf))}`;
      if (filesAsked === before) fixed.set(name, text);
      return text;
    });
    return `{${entries.join(',')}}`;
  };
}

function nodeInfo(node: AnyNodeClass, optionsOf: OptionsOf): NodeInfo {
  const templates = node.outputs.map(({ template = null }) => template);
  const hidden = Object.entries(node.hidden ?? {}).map(([name, kind]): [string, readonly [string]] => [
    name,
    [kind],
  ]);
  const hasOptional = Object.keys(node.optional).length > 0;
  const tooltips = node.outputs.map(({ tooltip }) => tooltip ?? '');
  return {
    input: {
      required: inputInfos(node.required, optionsOf),
      ...(hasOptional && { optional: inputInfos(node.optional, optionsOf) }),
      ...(hidden.length > 0 && { hidden: Object.fromEntries(hidden) }),
    },
    input_order: {
      required: Object.keys(node.required),
      ...(hasOptional && { optional: Object.keys(node.optional) }),
    },
    output: node.outputs.map(({ type }) => type),
    output_is_list: node.outputs.map(({ isList = false }) => isList),
    is_input_list: node.inputIsList === true,
    output_name: node.outputs.map(({ name }) => name),
    ...(templates.some((template) => template !== null) && { output_matchtypes: templates }),
    ...(tooltips.some((tooltip) => tooltip !== '') && { output_tooltips: tooltips }),
    name: node.name,
    display_name: node.displayName,
    description: node.description,
    python_module: 'nodes',
    category: node.category,
    output_node: node.outputNode === true,
    has_intermediate_output: false,
  };
}

function inputInfos(specs: InputSpecs, optionsOf: OptionsOf): Readonly<Record<string, InputInfo>> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const [type, options] = inputConfig(spec, optionsOf);
      return [name, [asNumbers(type), asNumbers(options)]];
    }),
  );
}

function asNumbers(value: Literal): Json {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return (value as readonly Literal[]).map(asNumbers);
  if (isLiteralObject(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [key, asNumbers(item)]));
  }
  return value as Json;
}
