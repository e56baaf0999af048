import { expect, it } from 'vitest';
import { SymbolicDim } from '../../src/compute/dim.js';
import { GraphBuilder } from '../../src/compute/graph.js';
import { peakBytes } from '../../src/compute/peak-memory.js';

it('counts what must be held at once: operands until their last use, and results', () => {
  const graph = new GraphBuilder('test');
  const x = graph.input('x', [SymbolicDim.symbol('N'), 3]);
  const a = graph.scale(x, 2);
  const b = graph.concat([x, x], 0);
  graph.output('y', graph.concat([graph.concat([a, x], 0), b], 0));
  // Of x's size: in the end what joins a and x (2), b (2) and the result (4); a and x (1 each) are read by then.
  expect(peakBytes(graph.build(), { N: 5 })).toBe((2 + 2 + 4) * 5 * 3 * 4);
});

it('a map that scales channels is held until it is read', () => {
  const graph = new GraphBuilder('test');
  const x = graph.input('x', [1, 4, 2, 2]);
  const map = graph.meanMap(x);
  const y = graph.scale(x, 2);
  graph.output('y', graph.scaleChannels(y, 2, 0.5, map));
  // x (16), the map (4) and y (16), until x is left; then y, the map and the result.
  expect(peakBytes(graph.build(), {})).toBe((16 + 4 + 16) * 4);
});
