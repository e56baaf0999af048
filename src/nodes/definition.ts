/**
 * What a node class is: its ComfyUI name, typed inputs with defaults and bounds, typed outputs, and `run`.
 * Validation, `object_info` and the docs come from this table; adding a node is adding one entry.
 */
import type { RunContext } from './context.js';
import type { ValueType, ValueTypes } from './values.js';

interface Described {
  /** One sentence for `object_info` and the docs. */
  readonly tooltip?: string;
}

export interface IntInput extends Described {
  readonly kind: 'INT';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
}

/** An unsigned 64-bit integer, as ComfyUI's seeds are; kept as a bigint because doubles lose its low bits. */
export interface SeedInput extends Described {
  readonly kind: 'SEED';
  readonly default: bigint;
}

export interface FloatInput extends Described {
  readonly kind: 'FLOAT';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  /** What an editor rounds to; false for not at all. */
  readonly round?: number | false;
  /** Types that a link may give beside FLOAT. */
  readonly also?: readonly 'INT'[];
}

export interface StringInput extends Described {
  readonly kind: 'STRING';
  readonly default: string;
  readonly multiline?: boolean;
}

export interface BooleanInput extends Described {
  readonly kind: 'BOOLEAN';
  readonly default?: boolean;
}

/** One of a list; the list may depend on what lies in the model folders, so it is asked for when needed. */
export interface ComboInput<Option extends string = string> extends Described {
  readonly kind: 'COMBO';
  readonly options: readonly Option[] | ((folders: RunContext['folders']) => readonly Option[]);
  readonly default?: Option;
  /**
   * Replaces membership in `options`: says what is wrong with a value, or returns undefined. ComfyUI's VALIDATE_INPUTS, by which
   * LoadImage takes `NAME [output]` and files that appeared after the list was made.
   */
  readonly reject?: (value: string, folders: RunContext['folders']) => string | undefined;
}

/** A value that only another node can give. */
export interface LinkInput<Type extends ValueType = ValueType> extends Described {
  readonly kind: 'LINK';
  readonly type: Type;
  /** Other types that it takes too; `object_info` names the first alone. */
  readonly also?: readonly ValueType[];
}

export type InputSpec =
  IntInput | SeedInput | FloatInput | StringInput | BooleanInput | ComboInput | LinkInput;

export type InputValue<Spec extends InputSpec> = Spec extends { kind: 'INT' | 'FLOAT' }
  ? number
  : Spec extends { kind: 'SEED' }
    ? bigint
    : Spec extends { kind: 'STRING' }
      ? string
      : Spec extends { kind: 'BOOLEAN' }
        ? boolean
        : Spec extends {
              kind: 'LINK';
              type: infer Type extends ValueType;
              also: readonly (infer Also extends ValueType)[];
            }
          ? ValueTypes[Type | Also]
          : Spec extends { kind: 'LINK'; type: infer Type extends ValueType }
            ? ValueTypes[Type]
            : Spec extends ComboInput<infer Option>
              ? Option
              : never;

export type InputSpecs = Readonly<Record<string, InputSpec>>;
type Values<Specs extends InputSpecs> = { readonly [Name in keyof Specs]: InputValue<Specs[Name]> };

/** The arguments of `run`: required inputs always, optional ones when linked or given. */
export type InputValues<Required extends InputSpecs, Optional extends InputSpecs> = Values<Required> &
  Partial<Values<Optional>>;

/** What is known before anything runs: inputs that no link can give (those with a list) always, others where they are literals. */
export type FingerprintInputs<Required extends InputSpecs, Optional extends InputSpecs> = Values<{
  readonly [Name in keyof Required as Required[Name] extends ComboInput ? Name : never]: Required[Name];
}> &
  Partial<Values<Required & Optional>>;

export interface OutputSpec<Type extends ValueType = ValueType> extends Described {
  readonly type: Type;
  readonly name: string;
  /** Other types that it may be, by the node's inputs; `object_info` names the first alone. */
  readonly also?: readonly ValueType[];
}

type OutputValues<Outputs extends readonly OutputSpec[]> = {
  readonly [Index in keyof Outputs]: Outputs[Index] extends {
    readonly type: infer Type extends ValueType;
    readonly also: readonly (infer Also extends ValueType)[];
  }
    ? ValueTypes[Type | Also]
    : Outputs[Index] extends OutputSpec<infer Type>
      ? ValueTypes[Type]
      : never;
};

/** What a node leaves beside its outputs: files for the user, as in ComfyUI's `ui` result. */
export interface SavedFile {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: 'output' | 'temp' | 'input';
  /** Absolute path on this machine. */
  readonly path: string;
}

/** A film, or an animated picture, that a node saved. */
export interface SavedFilm extends SavedFile {
  /** As the node's input names it: `video/h264-mp4`. */
  readonly format: string;
  /** Frames a second. */
  readonly frame_rate: number;
}

export interface NodeUi {
  readonly images?: readonly SavedFile[];
  /** VideoHelperSuite's name, whatever their form. */
  readonly gifs?: readonly SavedFilm[];
  readonly latents?: readonly SavedFile[];
}

export interface NodeResult<Outputs extends readonly OutputSpec[]> {
  readonly outputs: OutputValues<Outputs>;
  readonly ui?: NodeUi;
}

export interface NodeClass<
  Required extends InputSpecs = InputSpecs,
  Optional extends InputSpecs = InputSpecs,
  Outputs extends readonly OutputSpec[] = readonly OutputSpec[],
> {
  /** ComfyUI's class name. */
  readonly name: string;
  readonly displayName: string;
  /** ComfyUI's menu path, as `loaders` or `latent/inpaint`. */
  readonly category: string;
  readonly description: string;
  readonly required: Required;
  readonly optional: Optional;
  readonly outputs: Outputs;
  /** Runs even if nothing is linked to it: it saves or shows something. */
  readonly outputNode?: boolean;
  /**
   * `run` is given every other input of the workflow's node too, unchecked: texts, numbers, booleans, and what links bring. For
   * inputs that depend on another input's value.
   */
  readonly takesMore?: boolean;
  /** Its result depends on whose noise the job draws: `RunContext.noise`. */
  readonly drawsNoise?: boolean;
  /** Something that changes when the node's result would, beside its inputs: a file's date and size. ComfyUI's IS_CHANGED. */
  fingerprint?(inputs: FingerprintInputs<Required, Optional>, folders: RunContext['folders']): string;
  /** ComfyUI's class has the same fingerprint, and writes it into the workflow that pictures carry, as `is_changed`. */
  readonly tellsFingerprint?: boolean;
  run(
    inputs: InputValues<Required, Optional>,
    context: RunContext,
  ): Promise<NodeResult<Outputs>> | NodeResult<Outputs>;
}

/** A node class whose input and output types the interpreter has checked at run time instead. */
export interface AnyNodeClass {
  readonly name: string;
  readonly displayName: string;
  readonly category: string;
  readonly description: string;
  readonly required: InputSpecs;
  readonly optional: InputSpecs;
  readonly outputs: readonly OutputSpec[];
  readonly outputNode?: boolean;
  readonly takesMore?: boolean;
  readonly drawsNoise?: boolean;
  fingerprint?(inputs: never, folders: RunContext['folders']): string;
  readonly tellsFingerprint?: boolean;
  run(inputs: never, context: RunContext): unknown;
}

/** Types a node class from its own tables: `run` receives what the specs say and must return what `outputs` says. */
export function defineNode<
  const Required extends InputSpecs,
  const Optional extends InputSpecs,
  const Outputs extends readonly OutputSpec[],
>(node: NodeClass<Required, Optional, Outputs>): NodeClass<Required, Optional, Outputs> {
  return node;
}

export function int(spec: Omit<IntInput, 'kind'>): IntInput {
  return { kind: 'INT', ...spec };
}

export function float(spec: Omit<FloatInput, 'kind'>): FloatInput {
  return { kind: 'FLOAT', ...spec };
}

export function seed(spec: Omit<SeedInput, 'kind' | 'default'> = {}): SeedInput {
  return { kind: 'SEED', default: 0n, ...spec };
}

export function string(spec: Partial<Omit<StringInput, 'kind'>> = {}): StringInput {
  return { kind: 'STRING', default: '', ...spec };
}

export function boolean(spec: Omit<BooleanInput, 'kind'> = {}): BooleanInput {
  return { kind: 'BOOLEAN', ...spec };
}

export function combo<const Option extends string>(
  options: ComboInput<Option>['options'],
  spec: Omit<ComboInput<Option>, 'kind' | 'options'> = {},
): ComboInput<Option> {
  return { kind: 'COMBO', options, ...spec };
}

export function link<Type extends ValueType, const Rest extends Omit<LinkInput, 'kind' | 'type'> = object>(
  type: Type,
  spec: Rest = {} as Rest,
): LinkInput<Type> & Rest {
  return { kind: 'LINK', type, ...spec };
}
