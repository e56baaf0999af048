import { describe, expect, it } from 'vitest';
import { SymbolicDim } from '../../src/compute/dim.js';
import { GraphBuilder, GraphError } from '../../src/compute/graph.js';
import type { Weight } from '../../src/compute/weight.js';

const weight = (name: string, ...shape: number[]): Weight => ({
  name,
  shape,
  read: (into) => into.fill(0),
});

describe('a shape that does not fit is an error that names graph, layer and weight', () => {
  const graph = new GraphBuilder('unet');
  const x = graph.input('x', [1, 4, SymbolicDim.symbol('H'), SymbolicDim.symbol('W')]);
  const within = (body: () => unknown) => () => graph.within('input_blocks', () => graph.within('0', body));

  it.each([
    [
      'of a convolution',
      () => graph.conv2d(x, weight('conv.weight', 8, 3, 3, 3)),
      'unet.input_blocks.0: conv2d needs 3 channels for conv.weight, got [1, 4, H, W]',
    ],
    [
      'of a bias',
      () => graph.conv2d(x, weight('conv.weight', 8, 4, 3, 3), weight('conv.bias', 7)),
      'unet.input_blocks.0: conv.bias should have shape [8] beside conv.weight, has [7]',
    ],
    [
      'of a weight of other axes',
      () => graph.linear(x, weight('linear.weight', 8, 4, 1, 1)),
      'unet.input_blocks.0: linear.weight should have 2 axes, has [8, 4, 1, 1]',
    ],
    [
      'of a sum',
      () => graph.add(x, graph.conv2d(x, weight('w', 8, 4, 1, 1))),
      'unet.input_blocks.0: add needs equal shapes, got [1, 4, H, W] and [1, 8, H, W]',
    ],
    [
      'of a concatenation of nothing',
      () => graph.concat([], 1),
      'unet.input_blocks.0: concat needs at least one value',
    ],
  ])('%s', (_, body, message) => {
    expect(within(body)).toThrow(new GraphError(message));
  });

  it('and the path is as before afterwards', () => {
    expect(() => graph.selectToken(x, x)).toThrow('unet: select_token needs 3 axes, got [1, 4, H, W]');
  });
});

it('keeps layers, order and shapes', () => {
  const graph = new GraphBuilder('test', { mayRound: true, range: 'wide' });
  const x = graph.input('x', [2, 4, 8, 6]);
  const y = graph.within('down', () =>
    graph.conv2d(x, weight('w', 8, 4, 3, 3), undefined, { stride: 2, padding: 1 }),
  );
  graph.output('tokens', graph.spatialToTokens(y));
  const { nodes, inputs, outputs, mayRound, range } = graph.build();
  expect(nodes.map(({ layer, operation, output }) => [layer, operation.kind, output.shape])).toEqual([
    ['down', 'conv2d', [2, 8, 4, 3]],
    ['', 'spatial_to_tokens', [2, 12, 8]],
  ]);
  expect(inputs).toEqual([{ name: 'x', value: x }]);
  expect(outputs).toEqual([{ name: 'tokens', value: nodes[1]!.output }]);
  expect([mayRound, range]).toEqual([true, 'wide']);
});

it('graphs under construction do not mix', () => {
  const [a, b] = [new GraphBuilder('a'), new GraphBuilder('b')];
  a.output('y', a.scale(a.input('x', [1]), 2));
  b.output('y', b.mish(b.shift(b.input('x', [1]), 1)));
  expect(a.build().nodes.map(({ operation }) => operation.kind)).toEqual(['scale']);
  expect(b.build().nodes.map(({ operation }) => operation.kind)).toEqual(['shift', 'mish']);
});
