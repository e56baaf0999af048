/** One input of one node: from what the workflow says to a link or a value of the input's type, or what is wrong with it. */
import type { InputCheck, InputSpec, PlainInput } from '../nodes/definition.js';
import { checkLink } from './check-link.js';
import {
  failed,
  type CheckedInput,
  type InputConstant,
  type PlannedInput,
  type Surroundings,
} from './planned-input.js';
import { withSlashes } from '../models/folders/folders.js';
import { nearestHint } from '../nearest-names.js';
import { shorten } from '../safe-text.js';
import { ConversionError, formatNumber, toBoolean, toFloat, toInt, toText } from './convert.js';
import type { Fault } from './faults.js';
import { configOf, maxSeed, typeName } from './input-config.js';
import { isLiteralObject, pythonRepr, pythonStr, toJson, type Literal } from './literal.js';

/**
 * ComfyUI's `validate_inputs` (execution.py) for one input that is given. `own` is the class's own check, which excuses inputs
 * that it looks at from bounds, lists and types.
 */
export function checkInput(
  name: string,
  spec: PlainInput,
  given: Literal,
  around: Surroundings,
  own?: InputCheck,
): CheckedInput {
  if (Array.isArray(given)) {
    return checkLink(name, spec, given as readonly Literal[], around, own?.types === true);
  }
  // The editor wraps lists so that they aren't taken for links.
  const wrapped = isLiteralObject(given) ? given.get('__value__') : undefined;
  const excused = own !== undefined && (own.inputs === 'all' || own.inputs.includes(name));
  return checkLiteral(name, spec, wrapped ?? given, around, excused);
}

/** An input that the class doesn't declare but takes as it is; undefined for what can be no value. */
export function checkFurther(given: Literal, around: Surroundings): PlannedInput | undefined {
  if (Array.isArray(given)) {
    const [from, slot] = given as readonly Literal[];
    const known = typeof from === 'string' && typeof slot === 'bigint' && around.hasNode(from);
    return known && around.classOf(from)?.outputs[Number(slot)] !== undefined
      ? { kind: 'link', from, slot: Number(slot) }
      : undefined;
  }
  if (given === null) return undefined;
  if (isLiteralObject(given)) return { kind: 'constant', value: plainValue(given.get('__value__') ?? given) };
  return { kind: 'constant', value: typeof given === 'bigint' ? Number(given) : given };
}

/** `label` is the input's name in the fault's details. */
export function missingInput(name: string, label: string, spec: InputSpec, around: Surroundings): Fault {
  return {
    type: 'required_input_missing',
    message: 'Required input is missing',
    details: label,
    extra_info: { input_name: name, input_config: configOf(spec, around.optionsOf) },
  };
}

function checkLiteral(
  name: string,
  spec: PlainInput,
  given: Literal,
  around: Surroundings,
  excused: boolean,
): CheckedInput {
  try {
    switch (spec.kind) {
      case 'INT':
        return checkBounds(name, spec, toInt(given), excused ? NO_BOUNDS : spec, around);
      case 'SEED':
        return checkBounds(
          name,
          spec,
          toInt(given),
          { min: spec.min ?? 0n, max: spec.max ?? maxSeed },
          around,
        );
      case 'FLOAT':
        return checkBounds(name, spec, toFloat(given), excused ? NO_BOUNDS : spec, around);
      case 'STRING':
        return { kind: 'constant', value: toText(given) };
      case 'BOOLEAN':
        return { kind: 'constant', value: toBoolean(given) };
      case 'COMBO':
        return excused ? anyValue(given) : checkOption(name, spec, given, around);
      case 'MULTICOMBO':
        return excused ? anyValue(given) : checkOptions(name, spec, given, around);
      case 'MATCH':
        return anyValue(given);
      case 'MULTITYPE':
        if (spec.widget === undefined) {
          if (spec.types.some((type) => WRITTEN_TYPES.has(type))) return anyValue(given);
          throw linkedOnly(typeName(spec, around.optionsOf));
        }
        return checkWidget(name, spec.widget, given, around);
      case 'LINK':
        if (spec.type === '*' || spec.written === true) return anyValue(given);
        throw linkedOnly(spec.type);
    }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    const reason = shorten(error.message, 300);
    return failed(() => ({
      type: 'invalid_input_type',
      message: `Failed to convert an input value to a ${typeName(spec, around.optionsOf)} value`,
      details: `${name}, ${shorten(pythonStr(given))}, ${reason}`,
      extra_info: {
        input_name: name,
        input_config: configOf(spec, around.optionsOf),
        received_value: toJson(given),
        exception_message: reason,
      },
    }));
  }
}

/** Types whose values a workflow may hold; ComfyUI converts and bounds none of them where several are taken. */
const WRITTEN_TYPES: ReadonlySet<string> = new Set(['INT', 'FLOAT', 'STRING', 'BOOLEAN']);

const NO_BOUNDS = { min: -Infinity, max: Infinity };

function linkedOnly(type: string): ConversionError {
  return new ConversionError(`only a link to an output of type ${type} can give it`);
}

/** What is written where any type is taken. */
function anyValue(given: Literal): InputConstant {
  const type = LITERAL_TYPES[typeof given];
  return { kind: 'constant', value: plainValue(given), ...(type !== undefined && { type }) };
}

const LITERAL_TYPES: Readonly<Record<string, string>> = {
  bigint: 'INT',
  number: 'FLOAT',
  string: 'STRING',
  boolean: 'BOOLEAN',
};

/** A literal as programs hold it: integers are numbers, unless those would lose digits. */
export function plainValue(value: Literal): unknown {
  if (typeof value === 'bigint') {
    const double = Number(value);
    return Number.isSafeInteger(double) ? double : value;
  }
  if (Array.isArray(value)) return (value as readonly Literal[]).map(plainValue);
  if (!isLiteralObject(value)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, plainValue(item)]));
}

/** A value for an input of several types stays of the type that it is written in; bounds are the widget's. */
function checkWidget(name: string, widget: PlainInput, given: Literal, around: Surroundings): CheckedInput {
  const numeric = typeof given === 'bigint' || typeof given === 'number';
  if (numeric && (widget.kind === 'INT' || widget.kind === 'FLOAT')) {
    return checkBounds(name, widget, given, widget, around);
  }
  return anyValue(given);
}

function checkBounds(
  name: string,
  spec: InputSpec,
  value: number | bigint,
  { min, max }: { readonly min: number | bigint; readonly max: number | bigint },
  around: Surroundings,
): CheckedInput {
  if (value >= min && value <= max) {
    return { kind: 'constant', value: spec.kind === 'INT' ? Number(value) : value };
  }
  const small = value < min;
  const format = (number: number | bigint) => formatNumber(number, spec.kind === 'FLOAT' ? 'FLOAT' : 'INT');
  return failed(() => ({
    type: small ? 'value_smaller_than_min' : 'value_bigger_than_max',
    message: small
      ? `Value ${format(value)} smaller than min of ${format(min)}`
      : `Value ${format(value)} bigger than max of ${format(max)}`,
    details: name,
    extra_info: {
      input_name: name,
      input_config: configOf(spec, around.optionsOf),
      received_value: toJson(value),
    },
  }));
}

/** ComfyUI leaves lists longer than this out of its answers: they are scanned folders. */
const longestListShown = 20;

function checkOption(
  name: string,
  spec: PlainInput & { kind: 'COMBO' },
  given: Literal,
  around: Surroundings,
): CheckedInput {
  if (spec.reject !== undefined && typeof given === 'string') {
    const reason = spec.reject(given, around.folders);
    if (reason === undefined) return { kind: 'constant', value: given };
    return failed(() => ({
      type: 'custom_validation_failed',
      message: 'Custom validation failed for node',
      details: `${name} - ${reason}`,
      extra_info: { input_name: name, received_value: given },
    }));
  }
  const options = around.optionsOf(spec);
  if (typeof given === 'string') {
    if (options.includes(given)) return { kind: 'constant', value: given };
    // Model names of a workflow that was made on Windows.
    const slashed = given.includes('\\') ? withSlashes(given) : given;
    if (options.includes(slashed)) return { kind: 'constant', value: slashed };
  }
  return notInList(name, spec, given, options, [given], around);
}

function checkOptions(
  name: string,
  spec: PlainInput & { kind: 'MULTICOMBO' },
  given: Literal,
  around: Surroundings,
): CheckedInput {
  const values = Array.isArray(given) ? (given as readonly Literal[]) : [given];
  const strange = values.filter((value) => typeof value !== 'string' || !spec.options.includes(value));
  return strange.length === 0
    ? { kind: 'constant', value: values }
    : notInList(name, spec, given, spec.options, strange, around);
}

function notInList(
  name: string,
  spec: PlainInput,
  given: Literal,
  options: readonly string[],
  strange: readonly Literal[],
  around: Surroundings,
): CheckedInput {
  return failed(() => {
    const long = options.length > longestListShown;
    const list = long ? `(list of length ${options.length})` : pythonRepr(options);
    const values = strange.slice(0, longestListShown).map((value) => shorten(pythonRepr(value)));
    return {
      type: 'value_not_in_list',
      message: 'Value not in list',
      details: `${name}: ${values.join(', ')} not in ${list}${nearestHint(pythonStr(strange[0]!), options)}`,
      extra_info: {
        input_name: name,
        input_config: long ? null : configOf(spec, around.optionsOf),
        received_value: toJson(given),
      },
    };
  });
}
