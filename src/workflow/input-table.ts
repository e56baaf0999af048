/**
 * The inputs that a node has, given what the workflow gives it: of dynamic ones, those that are there, by their whole names
 * (`resize.width`), and where `run` finds them (comfy_api/latest/_io.py, get_finalized_class_inputs and build_nested_inputs).
 */
import type { AnyNodeClass, InputSpec, InputSpecs, PlainInput } from '../nodes/definition.js';

export interface TableInput {
  readonly spec: PlainInput;
  readonly required: boolean;
  /** Where it lies in what `run` receives; undefined for under its own name. */
  readonly path?: readonly string[];
}

export interface InputTable {
  readonly inputs: ReadonlyMap<string, TableInput>;
  /** Dynamic inputs of which nothing is given: `run` receives an empty object. */
  readonly empty: readonly (readonly string[])[];
  /** Whether `run` receives objects of inputs. */
  readonly nested: boolean;
}

const unchanging = new WeakMap<AnyNodeClass, InputTable>();

/** `given` is what a node's inputs hold, by name: links and values. */
export function inputTable(nodeClass: AnyNodeClass, given: ReadonlyMap<string, unknown>): InputTable {
  const known = unchanging.get(nodeClass);
  if (known !== undefined) return known;
  const table = new TableBuilder(given);
  table.add(nodeClass.required, true, []);
  table.add(nodeClass.optional, false, []);
  const finished = { inputs: table.inputs, empty: table.empty, nested: table.isDynamic };
  if (!table.isDynamic) unchanging.set(nodeClass, finished);
  return finished;
}

class TableBuilder {
  readonly inputs = new Map<string, TableInput>();
  readonly empty: (readonly string[])[] = [];
  isDynamic = false;

  constructor(private readonly given: ReadonlyMap<string, unknown>) {}

  add(specs: InputSpecs, required: boolean, prefix: readonly string[]): void {
    for (const [name, spec] of Object.entries(specs)) this.addOne(spec, required, [...prefix, name]);
  }

  private addOne(spec: InputSpec, required: boolean, path: readonly string[]): void {
    const name = path.join('.');
    switch (spec.kind) {
      case 'AUTOGROW':
        this.grow(spec, path);
        break;
      case 'DYNAMICCOMBO': {
        // What is chosen lies in its own object, under its own name.
        const choice = { kind: 'COMBO', options: Object.keys(spec.options) } as const;
        this.isDynamic = true;
        this.inputs.set(name, { spec: choice, required, path: [...path, path.at(-1)!] });
        const chosen = this.given.get(name);
        const known = typeof chosen === 'string' && Object.hasOwn(spec.options, chosen);
        const option = known ? spec.options[chosen] : undefined;
        this.add(option?.required ?? {}, true, path);
        this.add(option?.optional ?? {}, false, path);
        break;
      }
      case 'DYNAMICSLOT':
        this.isDynamic = true;
        if (!this.given.has(name)) break;
        this.inputs.set(name, { spec: spec.slot, required: false, path: [...path, path.at(-1)!] });
        this.add(spec.inputs.required ?? {}, true, path);
        this.add(spec.inputs.optional ?? {}, false, path);
        break;
      default:
        this.inputs.set(name, { spec, required, ...(path.length > 1 && { path }) });
    }
  }

  private grow(spec: InputSpec & { readonly kind: 'AUTOGROW' }, path: readonly string[]): void {
    const { names, min, each } = spec;
    this.isDynamic = true;
    const all =
      'prefix' in names ? Array.from({ length: names.max }, (_, i) => `${names.prefix}${i}`) : names;
    const whole = all.slice(0, MAX_GROWN).map((own) => [...path, own]);
    whole.forEach((own, index) => {
      const required = index < min && spec.optional !== true;
      this.inputs.set(own.join('.'), { spec: each, required, path: own });
    });
    if (!whole.some((own) => this.given.has(own.join('.')))) this.empty.push(path);
  }
}

/** ComfyUI's `Autogrow._MaxNames`. */
const MAX_GROWN = 100;

/** Values by whole name as `run` receives them. */
export function nestInputs(
  values: Readonly<Record<string, unknown>>,
  table: InputTable,
): Readonly<Record<string, unknown>> {
  if (!table.nested) return values;
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values))
    put(root, table.inputs.get(name)?.path ?? [name], value);
  for (const path of table.empty) put(root, path, {});
  return root;
}

function put(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = root;
  for (const name of path.slice(0, -1)) {
    const next = Object.hasOwn(at, name) ? at[name] : undefined;
    const object = typeof next === 'object' && next !== null ? (next as Record<string, unknown>) : {};
    if (object !== next) Object.defineProperty(at, name, { value: object, enumerable: true, writable: true });
    at = object;
  }
  Object.defineProperty(at, path.at(-1)!, { value, enumerable: true, writable: true, configurable: true });
}
