/** One input of one node: from what the workflow says to a link or a value of the input's type, or what is wrong with it. */
import type { Folders } from '../models/folders.js';
import type { AnyNodeClass, InputSpec } from '../nodes/definition.js';
import { nearestHint } from '../nearest-names.js';
import { shorten } from '../safe-text.js';
import { ConversionError, formatNumber, toBoolean, toFloat, toInt, toText } from './convert.js';
import type { Fault } from './faults.js';
import { inputConfig, maxSeed, typeName, type OptionsOf } from './input-config.js';
import { isLiteralObject, pythonStr, toJson, type Json, type Literal } from './literal.js';

export interface InputLink {
  readonly kind: 'link';
  /** Id of the node whose output it is. */
  readonly from: string;
  readonly slot: number;
}

/** INT and FLOAT are numbers, seeds bigints. */
export interface InputConstant {
  readonly kind: 'constant';
  readonly value: string | number | bigint | boolean;
}

export type PlannedInput = InputLink | InputConstant;

/** A fault is described when it is told: of a workflow with thousands, most are only counted. */
export type CheckedInput = PlannedInput | { readonly kind: 'fault'; readonly describe: () => Fault };

/** What checking an input needs to know of everything else. */
export interface Surroundings {
  readonly folders: Folders;
  readonly optionsOf: OptionsOf;
  /** Whether the workflow has such a node. */
  hasNode(id: string): boolean;
  /** Its class, unless that is unknown (which is reported with the node itself). */
  classOf(id: string): AnyNodeClass | undefined;
}

/** ComfyUI's `validate_inputs` (execution.py) for one input that is given. */
export function checkInput(
  name: string,
  spec: InputSpec,
  given: Literal,
  around: Surroundings,
): CheckedInput {
  if (Array.isArray(given)) return checkLink(name, spec, given as readonly Literal[], around);
  // The editor wraps lists so that they aren't taken for links.
  const wrapped = isLiteralObject(given) ? given.get('__value__') : undefined;
  return checkLiteral(name, spec, wrapped ?? given, around);
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
  if (given === null || typeof given === 'object') return undefined;
  return { kind: 'constant', value: typeof given === 'bigint' ? Number(given) : given };
}

export function missingInput(name: string, spec: InputSpec, around: Surroundings): Fault {
  return {
    type: 'required_input_missing',
    message: 'Required input is missing',
    details: name,
    extra_info: { input_name: name, input_config: configOf(spec, around) },
  };
}

function checkLink(
  name: string,
  spec: InputSpec,
  given: readonly Literal[],
  around: Surroundings,
): CheckedInput {
  const info = () => ({
    input_name: name,
    input_config: configOf(spec, around),
    received_value: toJson(given),
  });
  const bad = (message: string, details = name) =>
    failed(() => ({ type: 'bad_linked_input', message, details, extra_info: info() }));
  const [from, slotGiven] = given;
  if (given.length !== 2 || typeof from !== 'string' || typeof slotGiven !== 'bigint') {
    return bad('Bad linked input, must be a length-2 list of [node_id, slot_index]');
  }
  if (!around.hasNode(from)) return bad(`Bad linked input, there is no node '${shorten(from)}'`);
  const slot = Number(slotGiven);
  const source = around.classOf(from);
  if (source === undefined) return { kind: 'link', from, slot };
  const output = source.outputs[slot];
  if (output === undefined) {
    const outputs = source.outputs.map(({ type }, index) => `${index} ${type}`).join(', ');
    return bad(
      `Bad linked input, node '${shorten(from)}' (${source.name}) has no output ${slot}`,
      `${name}, its outputs: ${outputs === '' ? 'none' : outputs}`,
    );
  }
  if (spec.kind !== 'COMBO') {
    const taken: readonly string[] = [
      typeName(spec, around.optionsOf),
      ...(('also' in spec && spec.also) || []),
    ];
    const types = [output.type, ...(output.also ?? [])];
    if (types.some((type) => taken.includes(type))) return { kind: 'link', from, slot };
  }
  return failed(() => {
    const { input_name, input_config, received_value: linked } = info();
    const expected = typeName(spec, around.optionsOf);
    return {
      type: 'return_type_mismatch',
      message: 'Return type mismatch between linked nodes',
      details: `${name}, received_type(${output.type}) mismatch input_type(${expected})`,
      extra_info: { input_name, input_config, received_type: output.type, linked_node: linked },
    };
  });
}

function checkLiteral(name: string, spec: InputSpec, given: Literal, around: Surroundings): CheckedInput {
  try {
    switch (spec.kind) {
      case 'INT':
        return checkBounds(name, spec, toInt(given), spec.min, spec.max, around);
      case 'SEED':
        return checkBounds(name, spec, toInt(given), 0n, maxSeed, around);
      case 'FLOAT':
        return checkBounds(name, spec, toFloat(given), spec.min, spec.max, around);
      case 'STRING':
        return { kind: 'constant', value: toText(given) };
      case 'BOOLEAN':
        return { kind: 'constant', value: toBoolean(given) };
      case 'COMBO':
        return checkOption(name, spec, given, around);
      case 'LINK':
        throw new ConversionError(`only a link to an output of type ${spec.type} can give it`);
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
        input_config: configOf(spec, around),
        received_value: toJson(given),
        exception_message: reason,
      },
    }));
  }
}

function checkBounds(
  name: string,
  spec: InputSpec,
  value: number | bigint,
  min: number | bigint,
  max: number | bigint,
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
      input_config: configOf(spec, around),
      received_value: toJson(value),
    },
  }));
}

/** ComfyUI leaves lists longer than this out of its answers: they are scanned folders. */
const longestListShown = 20;

function checkOption(
  name: string,
  spec: InputSpec & { kind: 'COMBO' },
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
  if (typeof given === 'string' && options.includes(given)) return { kind: 'constant', value: given };
  return failed(() => {
    const long = options.length > longestListShown;
    const list = long ? `(list of length ${options.length})` : typeName(spec, around.optionsOf);
    const value = pythonStr(given);
    return {
      type: 'value_not_in_list',
      message: 'Value not in list',
      details: `${name}: '${shorten(value)}' not in ${list}${nearestHint(value, options)}`,
      extra_info: {
        input_name: name,
        input_config: long ? null : configOf(spec, around),
        received_value: toJson(given),
      },
    };
  });
}

function configOf(spec: InputSpec, around: Surroundings): Json {
  return toJson(inputConfig(spec, around.optionsOf));
}

function failed(describe: () => Fault): CheckedInput {
  return { kind: 'fault', describe };
}
