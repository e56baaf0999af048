/**
 * What a node class is: its ComfyUI name, typed inputs with defaults and bounds, typed outputs, and `run`.
 * Validation, `object_info` and the docs come from this table; adding a node is adding one entry.
 */
import type { RunContext } from './context.js';
import type { HiddenInputs, HiddenValues } from './hidden.js';
import type { FingerprintInputs, InputLists, InputValues } from './input-values.js';
import type { InputSpecs } from './inputs.js';
import type { BlockedResult, Expansion, NodeResult, OutputSpec } from './results.js';

export type { FingerprintInputs, InputValue, InputValues } from './input-values.js';
export * from './inputs.js';
export * from './results.js';

/** ComfyUI's VALIDATE_INPUTS: a check of a class's own, of what a workflow writes. */
export interface InputCheck {
  /** The inputs that it looks at; they are excused from bounds and lists. */
  readonly inputs: readonly string[] | 'all';
  /** It looks at the types of what is linked, too, which are excused as well. */
  readonly types?: boolean;
  /** What is wrong, or undefined. Inputs that are linked are there and undefined; `types` are those of linked outputs. */
  check(
    values: Readonly<Record<string, unknown>>,
    types: Readonly<Record<string, string>>,
  ): string | undefined;
}

/** What node classes say of themselves, whatever their inputs. */
interface Declared {
  /** ComfyUI's class name. */
  readonly name: string;
  readonly displayName: string;
  /** ComfyUI's menu path, as `loaders` or `latent/inpaint`. */
  readonly category: string;
  readonly description: string;
  /** Runs even if nothing is linked to it: it saves or shows something. */
  readonly outputNode?: boolean;
  /**
   * `run` is given every other input of the workflow's node too, unchecked: texts, numbers, booleans, and what links bring. For
   * inputs that depend on another input's value.
   */
  readonly takesMore?: boolean;
  /** Its result depends on whose noise the job draws: `RunContext.noise`. */
  readonly drawsNoise?: boolean;
  /** Two nodes with the same inputs don't share a result. ComfyUI's NOT_IDEMPOTENT. */
  readonly notIdempotent?: boolean;
  readonly validate?: InputCheck;
}

type RunInputs<
  Required extends InputSpecs,
  Optional extends InputSpecs,
  Hidden extends HiddenInputs,
  IsList extends boolean,
> = IsList extends true
  ? InputLists<InputValues<Required, Optional> & HiddenValues<Hidden>>
  : InputValues<Required, Optional> & HiddenValues<Hidden>;

/**
 * A node class. Where an input is linked to several values, it runs once for each, unless `inputIsList`; inputs with fewer
 * values repeat their last one.
 */
export interface NodeClass<
  Required extends InputSpecs = InputSpecs,
  Optional extends InputSpecs = InputSpecs,
  Outputs extends readonly OutputSpec[] = readonly OutputSpec[],
  Hidden extends HiddenInputs = HiddenInputs,
  IsList extends boolean = boolean,
  Result = NodeResult<Outputs>,
> extends Declared {
  readonly required: Required;
  readonly optional: Optional;
  /** What `run` is given beside, by name: the node's id, the workflow. */
  readonly hidden?: Hidden;
  readonly outputs: Outputs;
  /** `run` is called once, with each input as a list of values. ComfyUI's INPUT_IS_LIST. */
  readonly inputIsList?: IsList;
  /** Something that changes when the node's result would, beside its inputs: a file's date and size. ComfyUI's IS_CHANGED. */
  fingerprint?(inputs: FingerprintInputs<Required, Optional>, folders: RunContext['folders']): string;
  /** ComfyUI's class has the same fingerprint, and writes it into the workflow that pictures carry, as `is_changed`. */
  readonly tellsFingerprint?: boolean;
  /**
   * Names of lazy inputs that are needed now; those that aren't evaluated yet are undefined. It is asked again when they are,
   * until it names none. ComfyUI's check_lazy_status.
   */
  checkLazy?(inputs: RunInputs<Required, Optional, Hidden, IsList>): readonly string[] | undefined;
  run(inputs: RunInputs<Required, Optional, Hidden, IsList>, context: RunContext): Promise<Result> | Result;
}

/** A node class whose input and output types the interpreter has checked at run time instead. */
export interface AnyNodeClass extends Declared {
  readonly required: InputSpecs;
  readonly optional: InputSpecs;
  readonly hidden?: HiddenInputs;
  readonly outputs: readonly OutputSpec[];
  readonly inputIsList?: boolean;
  fingerprint?(inputs: never, folders: RunContext['folders']): string;
  readonly tellsFingerprint?: boolean;
  checkLazy?(inputs: never): readonly string[] | undefined;
  run(inputs: never, context: RunContext): unknown;
}

/** Types a node class from its own tables: `run` receives what the specs say and must return what `outputs` says. */
export function defineNode<
  const Required extends InputSpecs,
  const Optional extends InputSpecs,
  const Outputs extends readonly OutputSpec[],
  const Hidden extends HiddenInputs = never,
  const IsList extends boolean = false,
>(
  node: NodeClass<Required, Optional, Outputs, Hidden, IsList>,
): NodeClass<Required, Optional, Outputs, NoInfer<Hidden>, NoInfer<IsList>> {
  return node;
}

/** A node class that steers the run: `run` may return a graph to run in its place, or block what it gives to others. */
export function defineControlNode<
  const Required extends InputSpecs,
  const Optional extends InputSpecs,
  const Outputs extends readonly OutputSpec[],
  const Hidden extends HiddenInputs = never,
  const IsList extends boolean = false,
>(
  node: NodeClass<
    Required,
    Optional,
    Outputs,
    Hidden,
    IsList,
    NodeResult<Outputs> | Expansion | BlockedResult
  >,
): AnyNodeClass {
  return node;
}
