/** Small workflows in the editor's form, and classes to read them with. */
import { expect } from 'vitest';
import { createFolders } from '../../../src/models/folders/folders.js';
import { nodeClasses } from '../../../src/nodes/index.js';
import { convertEditorWorkflow } from '../../../src/workflow/editor/convert.js';
import type { InfoOf } from '../../../src/workflow/editor/widgets.js';
import { toJson, type Json, type LiteralObject } from '../../../src/workflow/literal.js';
import { infoByName, type NodeInfo } from '../../../src/workflow/object-info.js';
import { parseJson } from '../../../src/python/json.js';

type Spec = readonly [type: Json, options?: Json];

/** A class that only tests know. */
export function classInfo(
  name: string,
  required: Readonly<Record<string, Spec>>,
  output: readonly string[] = [],
): NodeInfo {
  const infos = Object.fromEntries(
    Object.entries(required).map(([key, [type, options = {}]]) => [key, [type, options] as const]),
  );
  return {
    input: { required: infos },
    input_order: { required: Object.keys(required) },
    is_input_list: false,
    has_intermediate_output: false,
    output,
    output_is_list: output.map(() => false),
    output_name: output,
    name,
    display_name: name,
    description: '',
    python_module: 'nodes',
    category: 'test',
    output_node: output.length === 0,
  };
}

const nowhere = createFolders({ models: '/none', input: '/none', output: '/none', temp: '/none' });
const own = infoByName(nodeClasses, nowhere);

/** latentd's own classes, and some more. */
export function withClasses(...infos: readonly NodeInfo[]): InfoOf {
  const more = new Map(infos.map((info) => [info.name, info]));
  return (name) => more.get(name) ?? own(name);
}

export function parsed(file: object): LiteralObject {
  return parseJson(JSON.stringify(file), 200) as LiteralObject;
}

/** `CLASS` and inputs of each node of what a file becomes; titles left out. */
export function converted(
  file: object,
  infoOf: InfoOf = own,
  random: () => number = () => 0,
): Readonly<Record<string, readonly [type: Json, inputs: Json]>> {
  const now = new Date(2026, 10, 30, 7, 8, 9);
  const { prompt } = convertEditorWorkflow(parsed(file), { infoOf, random, now });
  const nodes = toJson(prompt) as Readonly<Record<string, Readonly<Record<string, Json>>>>;
  return Object.fromEntries(
    Object.entries(nodes).map(([id, node]) => {
      expect(Object.keys(node)).toEqual(['inputs', 'class_type', '_meta']);
      return [id, [node['class_type']!, node['inputs']!]];
    }),
  );
}

export type LinkRow = readonly [
  id: number,
  from: number,
  slot: number,
  to: number,
  toSlot: number,
  type: string,
];

export interface NodeRow {
  readonly id: number | string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The inputs and outputs of nodes follow from the links, and from the slots that are given. */
export function file(nodes: readonly NodeRow[], links: readonly LinkRow[] = [], more: object = {}): object {
  return { version: 0.4, nodes, links, ...more };
}

export const input = (name: string, type: string, link: number | null = null, more: object = {}) => ({
  name,
  type,
  link,
  ...more,
});
export const widgetInput = (name: string, type: string, link: number | null = null) =>
  input(name, type, link, { widget: { name } });
export const output = (type: string, name = type) => ({ name, type, links: [] });
