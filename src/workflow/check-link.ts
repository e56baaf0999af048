/** Links: whether there is such an output, and whether its type fits (ComfyUI comfy_execution/validation.py). */
import type { OutputSpec, PlainInput } from '../nodes/definition.js';
import { shorten } from '../safe-text.js';
import { configOf, typeName } from './input-config.js';
import { toJson, type Literal } from './literal.js';
import { failed, type CheckedInput, type Surroundings } from './planned-input.js';

/** A link that is given to an input; `anyType` where the class looks at types itself. */
export function checkLink(
  name: string,
  spec: PlainInput,
  given: readonly Literal[],
  around: Surroundings,
  anyType: boolean,
): CheckedInput {
  const info = () => ({
    input_name: name,
    input_config: configOf(spec, around.optionsOf),
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
  if (anyType || fits(output, spec, around)) return { kind: 'link', from, slot };
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

/** Types that fit all: any, and those that follow others, which editors see to. */
const ANY: ReadonlySet<string> = new Set(['*', 'COMFY_MATCHTYPE_V3']);

/** Whether what is given and what is taken have a type in common; several are written `INT,STRING`. */
function fits(output: OutputSpec, spec: PlainInput, around: Surroundings): boolean {
  // As most are.
  if (spec.kind === 'LINK' && spec.type === output.type) return true;
  const given = [output.type, ...(output.also ?? [])].flatMap(splitTypes);
  if (given.some((type) => ANY.has(type))) return true;
  // The list of a COMBO is its type.
  if (spec.kind === 'COMBO' || spec.kind === 'MULTICOMBO') return given.includes('COMBO');
  const taken = [typeName(spec, around.optionsOf), ...(('also' in spec && spec.also) || [])].flatMap(
    splitTypes,
  );
  return taken.some((type) => ANY.has(type) || given.includes(type));
}

function splitTypes(type: string): readonly string[] {
  return type.includes(',') ? type.split(',').map((part) => part.trim()) : [type];
}
