/** How ComfyUI writes an input's type and bounds down: `["INT", {"default": 20, "min": 1, "max": 10000}]`. */
import type { InputSpec } from '../nodes/definition.js';
import type { Folders } from '../models/folders.js';
import { literalObject, pythonRepr, type Literal, type LiteralObject } from './literal.js';

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
    default:
      return spec.kind;
  }
}

/** ComfyUI's `(type, options)` of an input. Floats stay floats when whole, integers are bigints. */
export function inputConfig(spec: InputSpec, optionsOf: OptionsOf): readonly [Literal, LiteralObject] {
  const [type, options] = typeAndOptions(spec, optionsOf);
  return [type, literalObject(options)];
}

function typeAndOptions(
  spec: InputSpec,
  optionsOf: OptionsOf,
): readonly [Literal, Readonly<Record<string, Literal>>] {
  const described = spec.tooltip === undefined ? {} : { tooltip: spec.tooltip };
  switch (spec.kind) {
    case 'INT':
      return [
        'INT',
        {
          default: BigInt(spec.default),
          min: BigInt(spec.min),
          ...(Number.isFinite(spec.max) && { max: BigInt(spec.max) }),
          ...(spec.step !== undefined && { step: BigInt(spec.step) }),
          ...described,
        },
      ];
    case 'SEED':
      return [
        'INT',
        { default: spec.default, min: 0n, max: maxSeed, control_after_generate: true, ...described },
      ];
    case 'FLOAT':
      return [
        'FLOAT',
        {
          default: spec.default,
          min: spec.min,
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
    case 'LINK':
      return [spec.type, described];
  }
}
