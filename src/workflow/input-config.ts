/** How ComfyUI writes an input's type and bounds down: `["INT", {"default": 20, "min": 1, "max": 10000}]`. */
import type { DynamicOption, InputSpec, InputSpecs } from '../nodes/definition.js';
import type { Folders } from '../models/folders/folders.js';
import { toPython } from '../python/value.js';
import { literalObject, pythonRepr, toJson, type Json, type Literal, type LiteralObject } from './literal.js';

/** The highest seed, 2⁶⁴ − 1. */
export const maxSeed = 0xffff_ffff_ffff_ffffn;

/** The options a COMBO input offers now. */
export type OptionsOf = (spec: InputSpec & { kind: 'COMBO' }) => readonly string[];

/** Asks each list once, however many nodes use it; model folders are read from disk. */
export function rememberOptions(folders: Folders): OptionsOf {
  const known = new Map<unknown, readonly string[]>();
  return ({ options }) => {
    if (typeof options !== 'function') return options;
    let listed = known.get(options);
    if (listed === undefined) known.set(options, (listed = options(folders)));
    return listed;
  };
}

/** ComfyUI's name of an input's type; a COMBO's is its list. */
export function typeName(spec: InputSpec, optionsOf: OptionsOf): string {
  switch (spec.kind) {
    case 'LINK':
      return spec.type;
    case 'SEED':
      return 'INT';
    case 'COMBO':
      return pythonRepr(optionsOf(spec));
    case 'MULTICOMBO':
      return 'COMBO';
    case 'MULTITYPE':
      return [...new Set([...(spec.widget === undefined ? [] : [spec.widget.kind]), ...spec.types])].join();
    case 'MATCH':
      return 'COMFY_MATCHTYPE_V3';
    case 'AUTOGROW':
    case 'DYNAMICCOMBO':
    case 'DYNAMICSLOT':
      return `COMFY_${spec.kind}_V3`;
    default:
      return spec.kind;
  }
}

/** ComfyUI's `(type, options)` of an input. Floats stay floats when whole, integers are bigints. */
export function inputConfig(spec: InputSpec, optionsOf: OptionsOf): readonly [Literal, LiteralObject] {
  const [type, options] = typeAndOptions(spec, optionsOf);
  return [type, literalObject(options)];
}

type Fields = Readonly<Record<string, Literal>>;

function typeAndOptions(spec: InputSpec, optionsOf: OptionsOf): readonly [Literal, Fields] {
  const described = {
    ...(spec.tooltip !== undefined && { tooltip: spec.tooltip }),
    ...(spec.lazy === true && { lazy: true }),
    ...(spec.forceInput === true && { forceInput: true }),
  };
  switch (spec.kind) {
    case 'INT':
      return [
        'INT',
        {
          ...(spec.default !== undefined && { default: BigInt(spec.default) }),
          ...(Number.isFinite(spec.min) && { min: BigInt(spec.min) }),
          ...(Number.isFinite(spec.max) && { max: BigInt(spec.max) }),
          ...(spec.step !== undefined && { step: BigInt(spec.step) }),
          ...described,
        },
      ];
    case 'SEED':
      return [
        'INT',
        {
          ...(spec.default !== undefined && { default: spec.default }),
          min: spec.min ?? 0n,
          max: spec.max ?? maxSeed,
          control_after_generate: spec.controlAfterGenerate ?? true,
          ...described,
        },
      ];
    case 'FLOAT':
      return [
        'FLOAT',
        {
          ...(spec.default !== undefined && { default: spec.default }),
          ...(Number.isFinite(spec.min) && { min: spec.min }),
          ...(Number.isFinite(spec.max) && { max: spec.max }),
          ...(spec.step !== undefined && { step: spec.step }),
          ...(spec.round !== undefined && { round: spec.round }),
          ...described,
        },
      ];
    case 'STRING':
      return [
        'STRING',
        {
          default: spec.default,
          ...(spec.multiline !== undefined && { multiline: spec.multiline }),
          ...(spec.dynamicPrompts !== undefined && { dynamicPrompts: spec.dynamicPrompts }),
          ...described,
        },
      ];
    case 'BOOLEAN':
      return ['BOOLEAN', { ...(spec.default !== undefined && { default: spec.default }), ...described }];
    case 'COMBO':
      return [
        optionsOf(spec),
        { ...(spec.default !== undefined && { default: spec.default }), ...described },
      ];
    case 'LINK': {
      const initial = toPython(spec.default);
      return [
        spec.type,
        {
          ...(spec.default !== undefined && initial !== undefined && { default: initial }),
          ...(spec.rawLink === true && { rawLink: true }),
          ...described,
        },
      ];
    }
    case 'MULTICOMBO':
      return [
        'COMBO',
        {
          multiselect: true,
          options: spec.options,
          multi_select: literalObject({}),
          ...(spec.default !== undefined && { default: spec.default }),
          ...described,
        },
      ];
    case 'MULTITYPE': {
      const widget = spec.widget === undefined ? {} : typeAndOptions(spec.widget, optionsOf)[1];
      return [typeName(spec, optionsOf), { ...widget, ...described }];
    }
    default:
      return [typeName(spec, optionsOf), { ...dynamicOptions(spec, optionsOf), ...described }];
  }
}

/** The options of inputs whose type or number depends on others (comfy_api/latest/_io.py, `as_dict` of each). */
function dynamicOptions(
  spec: InputSpec & { kind: 'MATCH' | 'AUTOGROW' | 'DYNAMICCOMBO' | 'DYNAMICSLOT' },
  optionsOf: OptionsOf,
): Fields {
  switch (spec.kind) {
    case 'MATCH': {
      const allowed_types = (spec.allowed ?? ['*']).join();
      return { template: literalObject({ template_id: spec.template, allowed_types }) };
    }
    case 'AUTOGROW': {
      const { each, names, min } = spec;
      const [type, options] = typeAndOptions(each, optionsOf);
      const own = 'prefix' in names ? names.prefix : 'value';
      const shown = literalObject({ [own]: [type, literalObject({ ...options, ...linkedOnly(each) })] });
      const none = literalObject({});
      const input = spec.optional === true ? { required: none, optional: shown } : { required: shown };
      const naming = 'prefix' in names ? { prefix: names.prefix, max: BigInt(names.max) } : { names };
      return { template: literalObject({ input: literalObject(input), ...naming, min: BigInt(min) }) };
    }
    case 'DYNAMICCOMBO': {
      const options = Object.entries(spec.options).map(([key, option]) =>
        literalObject({ key, inputs: optionInputs(option, optionsOf) }),
      );
      return { options };
    }
    case 'DYNAMICSLOT':
      return { slotType: spec.slot.type, inputs: optionInputs(spec.inputs, optionsOf) };
  }
}

function optionInputs({ required = {}, optional }: DynamicOption, optionsOf: OptionsOf): LiteralObject {
  const configs = (specs: InputSpecs) =>
    new Map(Object.entries(specs).map(([name, spec]) => [name, inputConfig(spec, optionsOf)]));
  return literalObject({ required: configs(required), ...(optional && { optional: configs(optional) }) });
}

/** Inputs that grow in number have sockets and no widgets. */
function linkedOnly({ kind }: InputSpec): Fields {
  return kind === 'LINK' || kind === 'MATCH' || kind === 'MULTITYPE' ? {} : { forceInput: true };
}

/** The same as plain JSON, for faults. */
export function configOf(spec: InputSpec, optionsOf: OptionsOf): Json {
  return toJson(inputConfig(spec, optionsOf));
}
