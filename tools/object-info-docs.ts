/** Holds latentd's `object_info` beside ComfyUI's, and writes docs/object-info.md out of it: `npx vitest run test/nodes/docs.test.ts --update`. */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Folders } from '../src/models/folders/folders.js';
import { nodeClasses } from '../src/nodes/index.js';
import type { AnyNodeClass } from '../src/nodes/definition.js';
import { objectInfo, type NodeInfo } from '../src/workflow/object-info.js';

import { whyLacking } from './lacking-classes.js';

type Spec = readonly [type: string, options: Readonly<Record<string, unknown>>];
type Section = Readonly<Record<string, Spec>>;

/** A class as tools/reference/object_info.py keeps it. */
export interface ReferenceClass {
  /** The file of `comfy_extras/`, `nodes` for ComfyUI's nodes.py, or a node pack. */
  readonly from: string;
  readonly display_name: string;
  readonly category: string;
  readonly output_node?: true;
  readonly is_input_list?: true;
  readonly required?: Section;
  readonly optional?: Section;
  readonly output: readonly string[];
  readonly output_name: readonly string[];
  readonly output_is_list?: readonly boolean[];
  readonly output_matchtypes?: readonly (string | null)[];
}

const file = new URL('../test/fixtures/nodes/object-info.json', import.meta.url);

/** Every class of ComfyUI 0.29.0 and of the packs that latentd has classes of, by name. */
export const referenceClasses = JSON.parse(readFileSync(file, 'utf8')) as Readonly<
  Record<string, ReferenceClass>
>;

const LISTS = 'lists are of texts; what a workflow writes is taken all the same';
const DEVICE = 'the device is the one that the job runs on';

/** What differs and why it may. An input, `output`, or a field of the class, by the class's name. */
export const EXPLAINED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  A1111PasteImage: { class: "latentd's own, for A1111's clients" },
  A1111PrepareImage: { class: "latentd's own, for A1111's clients" },
  AIO_Preprocessor: { 'optional.preprocessor': 'the preprocessors that latentd has' },
  ControlNetPreprocessorSelector: { 'required.preprocessor': 'the preprocessors that latentd has' },
  CreateHookKeyframesFromFloats: {
    'required.floats_strength': 'bounds of an input that only a link gives bound nothing',
  },
  StableDiffusionSafetyChecker: { class: "latentd's own: what diffusers' pipelines end with" },
  'ConditioningAverage ': { class: 'its name before ComfyUI lost the blank' },
  CheckpointLoaderSimpleMultiGPU: { 'optional.device': DEVICE },
  UNETLoaderMultiGPU: { 'optional.device': DEVICE },
  VAELoaderMultiGPU: { 'optional.device': DEVICE },
  ControlNetLoaderMultiGPU: { 'optional.device': DEVICE },
  DiffControlNetLoaderMultiGPU: { 'optional.device': DEVICE },
  OneDiffNexfortBooster: { 'required.fullgraph': LISTS, 'required.dynamic': LISTS },
  OneDiffTorchCompileBooster: {
    'required.fullgraph': LISTS,
    'required.dynamic': LISTS,
    'required.disable': LISTS,
  },
  PathchSageAttentionKJ: { 'required.sage_attention': 'the default is none of the list' },
  'MaskFromList+': { 'optional.values': 'bounds of an input of any type bound nothing' },
  ImageResizeKJ: { 'optional.crop': 'lists are of texts; the number 0 is taken all the same' },
  ImageResizeKJv2: { 'required.keep_proportion': 'the default is none of the list' },
};

export interface Difference {
  /** `required.NAME`, `optional.NAME`, or a field of the class. */
  readonly where: string;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/** Where latentd's classes are declared otherwise than the reference's, by class. */
export function differencesOf(folders: Folders): ReadonlyMap<string, readonly Difference[]> {
  const found = new Map<string, readonly Difference[]>();
  for (const [name, info] of Object.entries(objectInfo(nodeClasses, folders))) {
    const reference = referenceClasses[name];
    if (reference === undefined) found.set(name, [{ where: 'class', theirs: null, ours: name }]);
    else found.set(name, classDifferences(nodeClasses.get(name)!, info, reference));
  }
  return found;
}

function classDifferences(node: AnyNodeClass, info: NodeInfo, theirs: ReferenceClass): Difference[] {
  const fields: readonly (readonly [string, unknown, unknown])[] = [
    ['display_name', theirs.display_name, info.display_name],
    ['category', theirs.category, info.category],
    ['output_node', theirs.output_node ?? false, info.output_node],
    ['is_input_list', theirs.is_input_list ?? false, info.is_input_list],
    ['output', theirs.output, info.output],
    ['output_name', theirs.output_name, info.output_name],
    ['output_is_list', theirs.output_is_list ?? info.output.map(() => false), info.output_is_list],
    ['output_matchtypes', theirs.output_matchtypes ?? null, info.output_matchtypes ?? null],
    ['required', Object.keys(theirs.required ?? {}), info.input_order.required],
    ['optional', Object.keys(theirs.optional ?? {}), info.input_order.optional ?? []],
  ];
  const differing = fields.filter(([, reference, own]) => !isDeepStrictEqual(reference, own));
  const inputs = (['required', 'optional'] as const).flatMap((section) =>
    Object.entries(theirs[section] ?? {}).flatMap(([name, spec]): [string, unknown, unknown][] => {
      const own = info.input[section]?.[name];
      const declared = node[section][name];
      if (own === undefined || declared === undefined) return [];
      // Lists of files are whatever lies there.
      const listed = declared.kind === 'COMBO' && typeof declared.options === 'function';
      const [reference, ours] = [spec, own].map((each) => canonical(each as Spec, listed));
      return isDeepStrictEqual(reference, ours) ? [] : [[`${section}.${name}`, reference, ours]];
    }),
  );
  return [...differing, ...inputs].map(([where, reference, own]) => ({
    where,
    theirs: reference,
    ours: own,
  }));
}

/** What is the same in effect, written in one way; what an editor alone looks at left out. */
function canonical([type, given]: Spec, listed: boolean): unknown {
  const seed = given['control_after_generate'] === true;
  const kept = Object.entries(given).filter(([key, value]) => {
    if (key === 'tooltip' || key === 'multiselect' || key === 'dynamicPrompts') return false;
    if (type === 'STRING' && key === 'default' && value === '') return false;
    // Editors take an input of a seed's name as one that changes after a run.
    if (seed && key === 'control_after_generate') return false;
    return value !== false || key === 'default' || key === 'round';
  });
  const options: Record<string, unknown> = Object.fromEntries(
    kept.map(([key, value]) => [key, key === 'multi_select' ? true : value]),
  );
  if (Array.isArray(type)) return ['COMBO', { ...options, options: listed ? 'files' : type }];
  if (type === 'COMBO' && listed) options['options'] = 'files';
  return [type, nested(options)];
}

/** Inputs within the options of dynamic ones. */
function nested(value: unknown): unknown {
  if (Array.isArray(value)) return isSpec(value) ? canonical(value, false) : value.map(nested);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, nested(item)]));
}

function isSpec(value: readonly unknown[]): value is Spec {
  const [type, options] = value;
  const named = typeof type === 'string' || Array.isArray(type);
  return (
    value.length === 2 && named && typeof options === 'object' && !Array.isArray(options) && options !== null
  );
}

/** ComfyUI's classes that latentd lacks, and nobody has said why. */
export function unexplainedClasses(): readonly string[] {
  return Object.entries(referenceClasses)
    .filter(([name, { from }]) => from.startsWith('nodes') && !nodeClasses.has(name))
    .filter(([name, { from }]) => whyLacking(name, from) === undefined)
    .map(([name]) => name);
}

/** The page. */
export function objectInfoDocs(folders: Folders): string {
  const differences = differencesOf(folders);
  const all = Object.entries(referenceClasses);
  const origins = [...new Set(all.map(([, { from }]) => from))];
  const isCore = (from: string) => from.startsWith('nodes');
  const ours = (from: string) => all.filter(([name, entry]) => entry.from === from && nodeClasses.has(name));
  const lacking = (from: string) =>
    all.filter(([name, entry]) => entry.from === from && !nodeClasses.has(name));
  const core = all.filter(([, { from }]) => isCore(from));
  const coreHere = core.filter(([name]) => nodeClasses.has(name)).length;
  const declared = [...differences].filter(([, found]) => found.length === 0).length;
  const rows = [...differences].flatMap(([name, found]) =>
    found.map(({ where, theirs, ours: own }) => {
      const cells = [
        name,
        where,
        JSON.stringify(theirs),
        JSON.stringify(own),
        EXPLAINED[name]?.[where] ?? '',
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    }),
  );
  const names = (entries: readonly (readonly [string, unknown])[]) =>
    entries.map(([name]) => `\`${name}\``).join(', ');
  const withReasons = (entries: readonly (readonly [string, ReferenceClass])[]): string => {
    const reasons = [...new Set(entries.map(([name, { from }]) => whyLacking(name, from)))];
    return reasons
      .map((why) => {
        const group = entries.filter(([name, { from }]) => whyLacking(name, from) === why);
        return `${names(group)}: ${why ?? ''}`;
      })
      .join('; ');
  };
  return [
    "# Classes beside ComfyUI's",
    '',
    `ComfyUI 0.29.0 has ${core.length} node classes of its own (those that call paid services aside); latentd has ${coreHere} of them. Inputs, their types, defaults, bounds and`,
    `options, and outputs are compared with what ComfyUI's \`object_info\` says, class by class: ${declared} of ${differences.size} are declared alike, those of node packs included.`,
    'Tooltips and descriptions are our own; what an editor alone looks at is left out. This page is made from both',
    "(`npx vitest run test/nodes/docs.test.ts --update`; ComfyUI's side by `tools/reference/object_info.py`).",
    '',
    '## What differs',
    '',
    ...(rows.length === 0
      ? ['Nothing.']
      : ['| Class | Where | ComfyUI | latentd | Why |', '| --- | --- | --- | --- | --- |', ...rows]),
    '',
    "## ComfyUI's files",
    '',
    '| File | Here | Not here, and why |',
    '| --- | --- | --- |',
    ...origins
      .filter(isCore)
      .sort()
      .map((from) => `| ${from} | ${names(ours(from))} | ${withReasons(lacking(from))} |`),
    '',
    '## Node packs',
    '',
    '| Pack | Here |',
    '| --- | --- |',
    ...origins
      .filter((from) => !isCore(from))
      .sort()
      .map((from) => `| ${from} | ${names(ours(from))} |`),
    '',
  ].join('\n');
}
