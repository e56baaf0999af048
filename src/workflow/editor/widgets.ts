/**
 * Which widgets the editor shows for a node class, in which order, and what a saved node's values are of. Facts from
 * ComfyUI_frontend: scripts/widgets.ts (kinds of widgets, `control_after_generate`), services/litegraphService.ts
 * (order, sockets), utils/litegraphUtil.ts (migrateWidgetsValues).
 */
import type { Json, Literal } from '../literal.js';
import { isLiteralObject } from '../literal.js';
import type { EditorNode } from './graph.js';

type Options = Readonly<Record<string, Json>>;

/** What of `object_info` tells of a class, be it latentd's or of any version of ComfyUI's server. */
export interface ClassInfo {
  readonly input: { readonly required?: Options | undefined; readonly optional?: Options | undefined };
  readonly input_order?: Readonly<Partial<Record<'required' | 'optional', readonly string[]>>>;
  readonly output: readonly Json[];
  readonly output_name?: readonly string[];
  readonly display_name?: string;
}

/** What a node class takes; undefined for one that isn't there. */
export type InfoOf = (classType: string) => ClassInfo | undefined;

export interface Widget {
  readonly name: string;
  readonly type: string;
  readonly options: Readonly<Record<string, Json>>;
  /** Of a list, what may be chosen, where that is known. */
  readonly choices?: readonly Json[];
}

/** A widget, or undefined for a saved value of the editor's own: what becomes of a seed after each run, an upload button. */
export type WidgetPlace = Widget | undefined;

interface Socket {
  readonly name: string;
  readonly type: string;
}

export interface ClassLayout {
  readonly widgets: readonly WidgetPlace[];
  /** Inputs that can be linked, in the editor's order: those without a widget first. */
  readonly sockets: readonly (Socket & { readonly widget?: string })[];
}

const WIDGET_TYPES = new Set([
  'INT',
  'FLOAT',
  'BOOLEAN',
  'STRING',
  'COMBO',
  'MARKDOWN',
  'IMAGEUPLOAD',
  'COLOR',
  'IMAGECOMPARE',
  'BOUNDING_BOX',
  'BOUNDING_BOXES',
  'CHART',
  'COLORS',
  'CURVE',
  'GALLERIA',
  'PAINTER',
  'COMPOSITOR',
  'RANGE',
  'TEXTAREA',
  'VIDEO_EDIT',
  'RESOLUTION_PREVIEW',
  'COMFY_DYNAMICCOMBO_V3',
]);

/** Inputs that stand for others, whose sockets a file lists one by one. */
const GROWN = new Set(['COMFY_AUTOGROW_V3', 'COMFY_DYNAMICSLOT_V3']);
const SEEDS = new Set(['seed', 'noise_seed']);
const UPLOADS = ['image_upload', 'animated_image_upload', 'video_upload', 'audio_upload', 'file_upload'];

/** `saved` gives the value of a widget, by its name or its place, on which the widgets of a dynamic list depend. */
export function classLayout(
  info: Pick<ClassInfo, 'input' | 'input_order'>,
  saved: (name: string, place: number) => Literal | undefined,
): ClassLayout {
  const widgets: WidgetPlace[] = [];
  const plain: Socket[] = [];
  const made: (Socket & { readonly widget: string })[] = [];
  const uploads: string[] = [];
  const addAll = (specs: Options, order: readonly string[], prefix: string) => {
    for (const key of order) {
      const [given, options] = specOf(specs[key]);
      if (given === undefined) continue;
      const name = prefix + key;
      const socket = typeText(given);
      const type = typeof options['widgetType'] === 'string' ? options['widgetType'] : socket;
      if (options['forceInput'] === true || !WIDGET_TYPES.has(type)) {
        if (!GROWN.has(socket)) plain.push({ name, type: socket });
        continue;
      }
      const choices = choicesOf(given, type, options);
      widgets.push(
        type === 'RESOLUTION_PREVIEW'
          ? undefined
          : { name, type, options, ...(choices !== undefined && { choices }) },
      );
      if (options['socketless'] !== true) made.push({ name, type: socket, widget: name });
      for (let count = placesAfter(name, type, options); count > 0; count--) widgets.push(undefined);
      uploads.push(...UPLOADS.filter((upload) => options[upload] === true));
      if (type !== 'COMFY_DYNAMICCOMBO_V3') continue;
      const chosen = optionOf(options, saved(name, widgets.length - 1));
      if (chosen === undefined) continue;
      for (const group of ['required', 'optional']) {
        const inner = objectOf(objectOf(chosen['inputs'])[group]);
        addAll(inner, Object.keys(inner), `${name}.`);
      }
    }
  };
  for (const group of ['required', 'optional'] as const) {
    const specs: Options = info.input[group] ?? {};
    addAll(specs, info.input_order?.[group] ?? Object.keys(specs), '');
  }
  // The upload button comes after all of a class's own widgets.
  return { widgets: uploads.length > 0 ? [...widgets, undefined] : widgets, sockets: [...plain, ...made] };
}

/** `["INT", {"default": 20}]`. */
export type InputSpecJson = readonly [type: Json, options: Options];

function specOf(spec: Json | undefined): InputSpecJson | readonly [undefined, Options] {
  if (!Array.isArray(spec)) return [undefined, {}];
  const [type, options] = spec as readonly Json[];
  return [type ?? '*', objectOf(options)];
}

/** The inputs of a class, required ones first. */
export function inputsOfClass(
  info: Pick<ClassInfo, 'input' | 'input_order'>,
): (readonly [string, InputSpecJson])[] {
  return (['required', 'optional'] as const).flatMap((group) => {
    const specs = info.input[group] ?? {};
    return (info.input_order?.[group] ?? Object.keys(specs)).flatMap(
      (name): (readonly [string, InputSpecJson])[] => {
        const [type, options] = specOf(specs[name]);
        return type === undefined ? [] : [[name, [type, options]]];
      },
    );
  });
}

/** A type as links have it; a list of options is one of its own. */
export function typeText(type: Json | undefined): string {
  if (Array.isArray(type)) return 'COMBO';
  return typeof type === 'string' ? type : '*';
}

function objectOf(value: Json | undefined): Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Options) : {};
}

function choicesOf(given: Json, type: string, options: Options): readonly Json[] | undefined {
  if (Array.isArray(given)) return given as readonly Json[];
  const listed = options['options'];
  if (!Array.isArray(listed)) return undefined;
  const values = listed as readonly Json[];
  return type === 'COMFY_DYNAMICCOMBO_V3' ? values.flatMap((value) => objectOf(value)['key'] ?? []) : values;
}

/** Values that the editor keeps after that of a widget. */
function placesAfter(name: string, type: string, options: Options): number {
  const remote = objectOf(options['remote'])['refresh_button'] === true ? 2 : 0;
  const crop = options['component'] === 'ImageCrop' ? 4 : 0;
  const control = options['control_after_generate'] ?? (type === 'INT' && SEEDS.has(name));
  if (control === false) return remote + crop;
  // A list has a filter, too.
  const filter = type === 'COMBO' && options['multiselect'] !== true ? 1 : 0;
  return remote + crop + 1 + filter;
}

function optionOf(options: Options, value: Literal | undefined): Options | undefined {
  const listed = options['options'];
  const all = Array.isArray(listed) ? (listed as readonly Json[]).map(objectOf) : [];
  return all.find((option) => option['key'] === value) ?? all[0];
}

/** The layout of a saved node's class, with the widgets that its own values call for. */
export function layoutOf(node: EditorNode, info: ClassInfo): ClassLayout {
  const { values } = node;
  if (isLiteralObject(values)) return classLayout(info, (name) => values.get(name));
  const list = currentValues(info, values);
  return classLayout(info, (_, place) => list[place]);
}

/**
 * The values without those that very old files keep of inputs which never were widgets: where there is one value for each
 * input of a widget's type.
 */
export function currentValues(info: ClassInfo, values: readonly Literal[]): readonly Literal[] {
  const forced: boolean[] = [];
  for (const [, [type, options]] of inputsOfClass(info)) {
    const isForced = options['forceInput'] === true;
    if (!isForced && !WIDGET_TYPES.has(typeText(type))) continue;
    forced.push(isForced);
    if (options['control_after_generate'] !== undefined) forced.push(false);
  }
  const isOld = forced.length === values.length && forced.includes(true);
  return isOld ? values.filter((_, place) => forced[place] !== true) : values;
}

/** What the editor starts a widget with. */
export function defaultOf({ type, options, choices }: Widget): Literal | undefined {
  const given = options['default'];
  if (given !== undefined) return literalOf(given, type);
  switch (type) {
    case 'COMBO':
    case 'COMFY_DYNAMICCOMBO_V3':
      return choices?.[0] === undefined ? undefined : literalOf(choices[0], type);
    case 'INT':
    case 'FLOAT':
      return literalOf(0, type);
    case 'BOOLEAN':
      return false;
    case 'STRING':
      return '';
    default:
      return undefined;
  }
}

function literalOf(value: Json, type: string): Literal {
  if (typeof value === 'number') return type === 'INT' && Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => literalOf(item, type));
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, item]) => [key, literalOf(item, type)]));
  }
  return value;
}

/** Whether a value can't be of such a widget, as when the class has had other widgets when the file was saved. */
export function isForeign({ type }: Widget, value: Literal | undefined): boolean {
  if (value === undefined || value === null) return false;
  switch (type) {
    case 'INT':
    case 'FLOAT':
      if (typeof value === 'string') return value.trim() === '' || Number.isNaN(Number(value));
      return typeof value === 'object';
    case 'BOOLEAN':
      return typeof value === 'string' && !/^(true|false)$/i.test(value);
    case 'STRING':
      return typeof value === 'object' || typeof value === 'boolean';
    case 'COMBO':
    case 'COMFY_DYNAMICCOMBO_V3':
      return isLiteralObject(value);
    default:
      return false;
  }
}
