/** The values of a saved node by the names of its widgets. */
import { isLiteralObject, type Literal, type LiteralObject } from '../literal.js';
import type { EditorInput, EditorNode } from './graph.js';
import {
  currentValues,
  defaultOf,
  isForeign,
  layoutOf,
  type InfoOf,
  type Widget,
  type WidgetPlace,
} from './widgets.js';

export interface SavedValues {
  readonly values: ReadonlyMap<string, Literal>;
  /** Of a class whose widgets are known. */
  readonly widgets: ReadonlyMap<string, Widget>;
  /** Values that can't be of the widgets in whose places they stand. */
  readonly foreign: readonly { readonly widget: Widget; readonly value: Literal }[];
  /** There are values whose names nobody knows. */
  readonly nameless: boolean;
  /** The widgets that a value was looked for, as the error names them. */
  readonly places: readonly WidgetPlace[];
}

export function savedValues(node: EditorNode, infoOf: InfoOf): SavedValues {
  const info = infoOf(node.type);
  if (info === undefined) return valuesOfUnknown(node);
  const { widgets: places } = layoutOf(node, info);
  const widgets = new Map(places.flatMap((place) => (place === undefined ? [] : [[place.name, place]])));
  const given = isLiteralObject(node.values) ? undefined : currentValues(info, node.values);
  const values = new Map<string, Literal>();
  const foreign: { widget: Widget; value: Literal }[] = [];
  const slots = given === undefined ? undefined : widgetSlots(node);
  const shifted =
    given !== undefined &&
    places.some((place, index) => place !== undefined && isForeign(place, given[index]));
  // Since 2025, files say which widgets a node had: a class that has others now still gets its values.
  const byName = shifted && slots !== undefined ? named(slots, given) : undefined;
  const fits =
    byName !== undefined &&
    [...widgets.values()].every((widget) => !isForeign(widget, byName.get(widget.name)));
  places.forEach((widget, index) => {
    if (widget === undefined) return;
    const value = isLiteralObject(node.values)
      ? node.values.get(widget.name)
      : fits
        ? byName.get(widget.name)
        : given![index];
    if (isForeign(widget, value)) foreign.push({ widget, value: value! });
    // A widget that the class has got since starts as a new one; null is what the editor makes of a value that JSON lacks.
    const used =
      value === undefined || (value === null && widget.type !== 'COMBO') ? defaultOf(widget) : value;
    if (used !== undefined) values.set(widget.name, used);
  });
  return { values: addExtras(node, values), widgets, foreign, nameless: false, places };
}

/** Some classes' own scripts add widgets, whose values a file has by their names. */
function addExtras(node: EditorNode, values: Map<string, Literal>): ReadonlyMap<string, Literal> {
  if (node.type === 'Power Lora Loader (rgthree)' && !isLiteralObject(node.values)) {
    let count = 0;
    for (const value of node.values) {
      if (isLiteralObject(value) && value.has('lora')) values.set(`lora_${++count}`, value);
    }
  }
  return values;
}

/** The inputs of a node that its widgets have, in the order of the widgets. */
function widgetSlots({ inputs }: EditorNode): readonly EditorInput[] | undefined {
  const slots = inputs.filter(({ widget }) => widget !== undefined);
  return slots.length === 0 ? undefined : slots;
}

const CONTROLS = new Set(['fixed', 'increment', 'decrement', 'randomize', 'increment-wrap']);

/** Values by names, over those that only the editor uses; undefined where numbers or types don't agree. */
function named(
  slots: readonly EditorInput[],
  values: readonly Literal[],
): ReadonlyMap<string, Literal> | undefined {
  const found = new Map<string, Literal>();
  let spare = values.length - slots.length;
  let at = 0;
  for (const { widget, name, type } of slots) {
    const value = values[at++];
    if (value === undefined || isForeign({ name, type, options: {} }, value)) return undefined;
    found.set(widget ?? name, value);
    const isNumber = typeof value === 'bigint' || typeof value === 'number';
    const next = values[at];
    if (spare > 0 && isNumber && typeof next === 'string' && CONTROLS.has(next)) {
      spare--;
      at++;
    }
  }
  // A picture's file lists inputs of linked widgets alone: then names of others are not known.
  return at === values.length ? found : undefined;
}

/** Of a class that isn't there: as far as the file itself names its widgets. */
function valuesOfUnknown(node: EditorNode): SavedValues {
  const none = { widgets: new Map<string, Widget>(), foreign: [], places: [] };
  if (isLiteralObject(node.values)) {
    return { ...none, values: withoutPreview(node.values), nameless: false };
  }
  if (node.values.length === 0) return { ...none, values: new Map(), nameless: false };
  const slots = widgetSlots(node);
  const values = slots === undefined ? undefined : named(slots, node.values);
  return { ...none, values: values ?? new Map(), nameless: values === undefined };
}

/** What VideoHelperSuite keeps among the values to show a film again. */
function withoutPreview(values: LiteralObject): ReadonlyMap<string, Literal> {
  return new Map([...values].filter(([name]) => name !== 'videopreview'));
}
