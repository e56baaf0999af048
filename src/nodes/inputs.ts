/** The inputs of node classes: what may be given, and builders for them. What `run` receives is in `input-values.ts`. */
import type { RunContext } from './context.js';
import type { ValueTypeName } from './values.js';

interface Described {
  /** One sentence for `object_info` and the docs. */
  readonly tooltip?: string;
  /** Evaluated only when the class's `checkLazy` asks for it; until then, it is undefined. */
  readonly lazy?: boolean;
  /** Editors give it a socket and no widget. ComfyUI's `forceInput`. */
  readonly forceInput?: boolean;
}

export interface IntInput extends Described {
  readonly kind: 'INT';
  readonly default?: number;
  /** −Infinity for no bound. */
  readonly min: number;
  /** Infinity for no bound. */
  readonly max: number;
  readonly step?: number;
}

/** An unsigned 64-bit integer, as ComfyUI's seeds are; kept as a bigint because doubles lose its low bits. */
export interface SeedInput extends Described {
  readonly kind: 'SEED';
  readonly default?: bigint;
  /** 0 when left out. */
  readonly min?: bigint;
  /** 2⁶⁴ − 1 when left out. */
  readonly max?: bigint;
  /** What editors do with it after a run: ask (true), or leave it unless told otherwise. */
  readonly controlAfterGenerate?: true | 'fixed';
}

export interface FloatInput extends Described {
  readonly kind: 'FLOAT';
  readonly default?: number;
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
  /** Of `{a|b}` in it, ComfyUI's editor chooses one when a workflow is queued; so does reading a workflow in its form. */
  readonly dynamicPrompts?: boolean;
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

/** Any number of a list. ComfyUI's `MultiCombo`; a workflow writes `{"__value__": ["a", "b"]}`. */
export interface MultiComboInput<Option extends string = string> extends Described {
  readonly kind: 'MULTICOMBO';
  readonly options: readonly Option[];
  readonly default?: readonly Option[];
}

/** A value that only another node can give; of type `*`, a written one too. */
export interface LinkInput<
  Type extends ValueTypeName = ValueTypeName,
  Also extends ValueTypeName = ValueTypeName,
> extends Described {
  readonly kind: 'LINK';
  readonly type: Type;
  /** Other types that it takes too; `object_info` names the first alone. */
  readonly also?: readonly Also[];
  /** `run` is given the link itself (`[node id, slot]`), to build graphs with. ComfyUI's `rawLink`. */
  readonly rawLink?: boolean;
  /** An editor's widget of its own writes it into workflows: what is there is taken as it is, and `run` looks at it. */
  readonly written?: boolean;
  /** What an editor begins with. */
  readonly default?: unknown;
}

/** A value of one of several types: ComfyUI's `"INT,STRING"`. With a `widget`, it can be written as well as linked. */
export interface MultiTypeInput<Type extends ValueTypeName = ValueTypeName> extends Described {
  readonly kind: 'MULTITYPE';
  readonly types: readonly Type[];
  readonly widget?: IntInput | FloatInput | StringInput | BooleanInput;
}

/**
 * A value whose type is that of the node's other inputs and outputs with the same template: ComfyUI's `MatchType`. As there,
 * editors see to it; a run takes what comes.
 */
export interface MatchInput extends Described {
  readonly kind: 'MATCH';
  readonly template: string;
  /** ComfyUI's `allowed_types`; any when left out. */
  readonly allowed?: readonly ValueTypeName[];
}

/** An input that isn't itself made of others. */
export type PlainInput =
  | IntInput
  | SeedInput
  | FloatInput
  | StringInput
  | BooleanInput
  | ComboInput
  | MultiComboInput
  | LinkInput
  | MultiTypeInput
  | MatchInput;

/**
 * As many inputs of one kind as are given, `INPUT.NAME0` to `INPUT.NAMEn` in a workflow: ComfyUI's `Autogrow`. `run` receives an
 * object of those that are there, by name.
 */
export interface AutogrowInput<Each extends PlainInput = PlainInput> extends Described {
  readonly kind: 'AUTOGROW';
  readonly each: Each;
  /** None of them has to be there, whatever `min` says. */
  readonly optional?: boolean;
  /** Names are this and a number from 0 on, or those of a list. */
  readonly names: { readonly prefix: string; readonly max: number } | readonly string[];
  /** How many there must be. */
  readonly min: number;
}

/** Inputs of an option of a dynamic list. */
export interface DynamicOption {
  readonly required?: InputSpecs;
  readonly optional?: InputSpecs;
}

/**
 * One of a list, where each option brings inputs of its own, `INPUT.NAME` in a workflow: ComfyUI's `DynamicCombo`. `run`
 * receives an object of the option, under the input's own name, and its inputs.
 */
export interface DynamicComboInput<
  Options extends Readonly<Record<string, DynamicOption>> = Readonly<Record<string, DynamicOption>>,
> extends Described {
  readonly kind: 'DYNAMICCOMBO';
  readonly options: Options;
}

/** A value that brings other inputs with it when it is linked: ComfyUI's `DynamicSlot`. Always optional. */
export interface DynamicSlotInput<
  Slot extends LinkInput = LinkInput,
  Option extends DynamicOption = DynamicOption,
> extends Described {
  readonly kind: 'DYNAMICSLOT';
  readonly slot: Slot;
  readonly inputs: Option;
}

export type InputSpec = PlainInput | AutogrowInput | DynamicComboInput | DynamicSlotInput;

export interface InputSpecs {
  readonly [name: string]: InputSpec;
}

/** A whole number within its bounds; `run` gets a number. */
export function int(spec: Omit<IntInput, 'kind'>): IntInput {
  return { kind: 'INT', ...spec };
}

/** A number within its bounds, rounded as ComfyUI's `round` says. */
export function float(spec: Omit<FloatInput, 'kind'>): FloatInput {
  return { kind: 'FLOAT', ...spec };
}

/** A seed from 0 to 2⁶⁴ − 1; `run` gets a bigint. */
export function seed(spec: Omit<SeedInput, 'kind' | 'default'> = {}): SeedInput {
  return { kind: 'SEED', default: 0n, ...spec };
}

/** A whole number with more digits than a double holds, as a bigint. */
export function bigInt(spec: Omit<SeedInput, 'kind'>): SeedInput {
  return { kind: 'SEED', ...spec };
}

/** A text, of several lines where the spec says so. */
export function string(spec: Partial<Omit<StringInput, 'kind'>> = {}): StringInput {
  return { kind: 'STRING', default: '', ...spec };
}

/** Yes or no. */
export function boolean(spec: Omit<BooleanInput, 'kind'> = {}): BooleanInput {
  return { kind: 'BOOLEAN', ...spec };
}

/** One of a list, which may be a function of the run: names of files, say. */
export function combo<const Option extends string>(
  options: ComboInput<Option>['options'],
  spec: Omit<ComboInput<Option>, 'kind' | 'options'> = {},
): ComboInput<Option> {
  return { kind: 'COMBO', options, ...spec };
}

/** Some of a list; `run` gets them in the order in which they were given. */
export function multiCombo<const Option extends string>(
  options: readonly Option[],
  spec: Omit<MultiComboInput<Option>, 'kind' | 'options'> = {},
): MultiComboInput<Option> {
  return { kind: 'MULTICOMBO', options, ...spec };
}

/** Another node's output of a type; it has no widget. */
export function link<Type extends ValueTypeName, const Also extends ValueTypeName = never>(
  type: Type,
  spec: Omit<LinkInput<Type, Also>, 'kind' | 'type' | 'rawLink'> = {},
): LinkInput<Type, NoInfer<Also>> {
  return { kind: 'LINK', type, ...spec };
}

/** `run` is given the link itself, `[node id, slot]`. ComfyUI's `rawLink`. */
export function rawLink<Type extends ValueTypeName>(
  type: Type,
  spec: Omit<LinkInput<Type>, 'kind' | 'type' | 'rawLink'> = {},
): LinkInput<Type> & { readonly rawLink: true } {
  return { kind: 'LINK', type, rawLink: true, ...spec };
}

/** A value that an editor's widget of its own writes: a colour, a curve. `run` is given what is there, unchecked. */
export function widget<Type extends ValueTypeName>(
  type: Type,
  spec: Omit<LinkInput<Type, never>, 'kind' | 'type' | 'rawLink' | 'written' | 'also'> = {},
): LinkInput<Type, never> {
  return { kind: 'LINK', type, written: true, ...spec };
}

/** A link of any of several types. */
export function multiType<const Type extends ValueTypeName>(
  types: readonly Type[],
  spec: Omit<MultiTypeInput, 'kind' | 'types'> = {},
): MultiTypeInput<Type> {
  return { kind: 'MULTITYPE', types, ...spec };
}

/** A link whose type is that of every other input and output with the same template. */
export function match(template: string, spec: Omit<MatchInput, 'kind' | 'template'> = {}): MatchInput {
  return { kind: 'MATCH', template, ...spec };
}

/** An input that is evaluated only when the class's `checkLazy` asks for it. */
export function lazy<Spec extends PlainInput>(spec: Spec): Spec & { readonly lazy: true } {
  return { ...spec, lazy: true };
}

/** At most 100, as in ComfyUI. */
export function autogrow<Each extends PlainInput>(
  each: Each,
  names: AutogrowInput['names'],
  spec: Partial<Omit<AutogrowInput, 'kind' | 'each' | 'names'>> = {},
): AutogrowInput<Each> {
  return { kind: 'AUTOGROW', each, names, min: 1, ...spec };
}

/** One of a list, each of which brings inputs of its own. */
export function dynamicCombo<const Options extends Readonly<Record<string, DynamicOption>>>(
  options: Options,
  spec: Omit<DynamicComboInput, 'kind' | 'options'> = {},
): DynamicComboInput<Options> {
  return { kind: 'DYNAMICCOMBO', options, ...spec };
}

/** A link that brings further inputs once something is connected. */
export function dynamicSlot<Slot extends LinkInput, const Option extends DynamicOption>(
  slot: Slot,
  inputs: Option,
): DynamicSlotInput<Slot, Option> {
  return { kind: 'DYNAMICSLOT', slot, inputs };
}
