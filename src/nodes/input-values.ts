/** What `run` receives for a node class's inputs, by their types. */
import type {
  AutogrowInput,
  ComboInput,
  DynamicComboInput,
  DynamicOption,
  DynamicSlotInput,
  InputSpec,
  InputSpecs,
  LinkInput,
  MultiComboInput,
  MultiTypeInput,
} from './inputs.js';
import type { GraphLink } from './node-graph.js';
import type { ValueOf } from './values.js';

/** The value of an input; of one named `Name`, which dynamic lists repeat in it. */
export type InputValue<Spec extends InputSpec, Name extends PropertyKey = string> = Spec extends {
  readonly lazy: true;
}
  ? EvaluatedValue<Spec, Name> | undefined
  : EvaluatedValue<Spec, Name>;

type EvaluatedValue<Spec extends InputSpec, Name extends PropertyKey> = Spec extends {
  readonly kind: 'INT' | 'FLOAT';
}
  ? number
  : Spec extends { readonly kind: 'SEED' }
    ? bigint
    : Spec extends { readonly kind: 'STRING' }
      ? string
      : Spec extends { readonly kind: 'BOOLEAN' }
        ? boolean
        : Spec extends { readonly kind: 'MATCH' }
          ? unknown
          : Spec extends ComboInput<infer Option>
            ? Option
            : Spec extends MultiComboInput<infer Option>
              ? readonly Option[]
              : Spec extends LinkInput
                ? LinkedValue<Spec>
                : Spec extends MultiTypeInput<infer Type>
                  ? ValueOf<Type>
                  : Spec extends AutogrowInput<infer Each>
                    ? Readonly<Record<string, InputValue<Each>>>
                    : Spec extends DynamicComboInput<infer Options>
                      ? OptionValues<Options, Name>
                      : Spec extends DynamicSlotInput<infer Slot, infer Option>
                        ? { readonly [Own in Name]: InputValue<Slot> } & OptionInputs<Option>
                        : never;

type LinkedValue<Spec extends LinkInput> = Spec extends { readonly rawLink: true }
  ? GraphLink
  : Spec extends LinkInput<infer Type, infer Also>
    ? ValueOf<Type | Also>
    : never;

type OptionValues<Options extends Readonly<Record<string, DynamicOption>>, Name extends PropertyKey> = {
  readonly [Key in keyof Options]: { readonly [Own in Name]: Key } & OptionInputs<Options[Key]>;
}[keyof Options];

type OptionInputs<Option extends DynamicOption> = (Option extends {
  readonly required: infer Specs extends InputSpecs;
}
  ? Values<Specs>
  : object) &
  (Option extends { readonly optional: infer Specs extends InputSpecs } ? Partial<Values<Specs>> : object);

export type Values<Specs extends InputSpecs> = {
  readonly [Name in keyof Specs]: InputValue<Specs[Name], Name>;
};

/** The arguments of `run`: required inputs always, optional ones when linked or given. */
export type InputValues<Required extends InputSpecs, Optional extends InputSpecs> = Values<Required> &
  Partial<Values<Optional>>;

/** Inputs as lists, as a class with `inputIsList` receives them; dynamic ones hold lists. */
export type InputLists<Inputs> = {
  readonly [Name in keyof Inputs]: readonly Exclude<Inputs[Name], undefined>[];
};

/** What is known before anything runs: inputs that no link can give (those with a list) always, others where they are literals. */
export type FingerprintInputs<Required extends InputSpecs, Optional extends InputSpecs> = Values<{
  readonly [Name in keyof Required as Required[Name] extends ComboInput ? Name : never]: Required[Name];
}> &
  Partial<Values<Required & Optional>>;
