/** Whether a model in ONNX's format names other files (onnx.proto). */

/** Of each message, the fields that hold messages that may hold tensors; `outside` is a tensor's `external_data`. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'outside' },
};

const DEEPEST = 64;

/** Throws `RangeError` for what is no such file, or nests too deep. */
export function namesOtherFiles(bytes: Uint8Array, message = 'model', depth = 0): boolean {
  if (depth > DEEPEST) throw new RangeError('it nests too deep');
  const fields = MESSAGES[message]!;
  let at = 0;
  const number = (): number => {
    let [value, factor] = [0, 1];
    for (let count = 0; count < 10; count++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('it ends early');
      value += (byte & 127) * factor;
      factor *= 128;
      if (byte < 128) return value;
    }
    throw new RangeError('it holds a number of too many bytes');
  };
  while (at < bytes.length) {
    const tag = number();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === 0) number();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire !== 2) throw new RangeError(`it has a field of kind ${wire}`);
    else {
      const length = number();
      if (length > bytes.length - at) throw new RangeError('it ends early');
      const inner = fields[field];
      if (inner === 'outside') return true;
      if (inner !== undefined && namesOtherFiles(bytes.subarray(at, at + length), inner, depth + 1))
        return true;
      at += length;
    }
  }
  if (at > bytes.length) throw new RangeError('it ends early');
  return false;
}
