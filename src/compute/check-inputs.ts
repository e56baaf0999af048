import type { NamedTensors } from './backend.js';
import { evaluateDim } from './dim.js';
import type { Graph } from './graph.js';
import { elementCount } from './tensor.js';

/**
 * Checks that every input is there, of its dtype, and of extents that agree with the graph's and with each other. Throws a
 * `TypeError` or `RangeError` that names the input.
 */
export function checkInputs(graph: Graph, inputs: NamedTensors): void {
  const bindings: Record<string, number> = {};
  for (const { name, value } of graph.inputs) {
    const given = inputs[name];
    const where = `input ${name} of ${graph.name}`;
    if (given === undefined) throw new TypeError(`${where} is missing`);
    const dtype = given.data instanceof Float32Array ? 'float32' : 'int32';
    if (dtype !== value.dtype) throw new TypeError(`${where} should be ${value.dtype}, is ${dtype}`);
    const wanted = `[${value.shape.join(', ')}]`;
    const mismatch = `${where} should have shape ${wanted}, has [${given.shape.join(', ')}]`;
    if (given.shape.length !== value.shape.length) throw new RangeError(mismatch);
    if (given.data.length !== elementCount(given.shape)) {
      throw new RangeError(`${where} holds ${given.data.length} values, not ${elementCount(given.shape)}`);
    }
    value.shape.forEach((dim, axis) => {
      const extent = given.shape[axis]!;
      if (typeof dim !== 'number') bindings[dim.text] ??= extent;
      const expected = typeof dim === 'number' ? dim : (bindings[dim.text] ?? evaluateDim(dim, bindings));
      if (extent !== expected) throw new RangeError(mismatch);
    });
  }
}
