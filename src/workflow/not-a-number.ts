/** Results that hold no numbers: a damaged model's, say, which would otherwise end in a black picture without a word. */

/** Results that were told of, so that nodes which were given one aren't named as well. */
const known = new WeakSet();

/** What is told of a node's outputs that hold NaN where none of its inputs did; nothing for sound ones. */
export function warningOfNaN(
  names: readonly string[],
  inputs: Readonly<Record<string, unknown>>,
  outputs: readonly unknown[],
): string | undefined {
  const broken = outputs.map(holdsNaN);
  if (!broken.includes(true)) return undefined;
  const isNew = !Object.values(inputs).some((input) => isObject(input) && known.has(input));
  outputs.forEach((output, slot) => {
    if (broken[slot] === true && isObject(output)) known.add(output);
  });
  const affected = names.filter((_, slot) => broken[slot]);
  if (!isNew || affected.length === 0) return undefined;
  const hold = affected.length === 1 ? 'holds' : 'hold';
  return `${affected.join(' and ')} ${hold} NaN (what is no number), of which pictures become black: a model, LoRA, embedding or input of this node is damaged, or its numbers leave what the model can bear`;
}

/** Looks into tensors, objects of tensors (latents) and lists of such objects (conditionings). */
function holdsNaN(value: unknown): boolean {
  if (!isObject(value)) return false;
  const values = Array.isArray(value) ? value.flatMap(fields) : [value, ...fields(value)];
  return values.some(isBrokenTensor);
}

function fields(value: unknown): unknown[] {
  return isObject(value) && !isTensor(value) ? Object.values(value) : [];
}

function isBrokenTensor(value: unknown): boolean {
  if (!isTensor(value)) return false;
  // Pictures are large, and a loop by index takes a fiftieth of what iterators do.
  const { data } = value;
  let at = 0;
  while (at < data.length && !Number.isNaN(data[at])) at++;
  return at < data.length;
}

function isTensor(value: unknown): value is { readonly data: Float32Array } {
  return isObject(value) && 'shape' in value && 'data' in value && value.data instanceof Float32Array;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
