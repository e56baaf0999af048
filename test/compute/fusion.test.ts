import { describe, expect, it } from 'vitest';
import { lastOf, planFusions } from '../../src/compute/fusion.js';
import { GraphBuilder, type Value } from '../../src/compute/graph.js';
import type { Weight } from '../../src/compute/weight.js';

const weight = (...shape: number[]): Weight => ({ name: 'w', shape, read: (into) => into.fill(1) });
const kernel = (size: number, outputs = 8): Weight => weight(outputs, 8, size, size);

/** The runs of operations that are computed together, in the order in which they are written. */
function fused(
  body: (graph: GraphBuilder, x: Value, v: Value) => Value,
  options: { readonly leaky?: boolean } = {},
): string[] {
  const graph = new GraphBuilder('test');
  const [x, v] = [graph.input('x', [1, 8, 16, 16]), graph.input('v', [1, 8])];
  graph.output('y', body(graph, x, v));
  const built = graph.build();
  const plan = planFusions(built, options);
  return built.nodes
    .map((node) => [node, plan.get(node)!] as const)
    .filter(([node, fusion]) => node === lastOf(fusion))
    .map(([, { nodes }]) => nodes.map(({ operation }) => operation.kind).join(' '));
}

describe('what a convolution takes along', () => {
  it('is sums, an activation and a residual, in this order', () => {
    const runs = fused((g, x, v) =>
      g.add(g.activation(g.addPerChannel(g.conv2d(x, kernel(1)), v), 'silu'), x),
    );
    expect(runs).toEqual(['conv2d add_per_channel activation add']);
  });

  it('is nothing after a residual, and no second activation', () => {
    expect(fused((g, x) => g.activation(g.add(g.conv2d(x, kernel(1)), x), 'silu'))).toEqual([
      'conv2d add',
      'activation',
    ]);
    expect(fused((g, x) => g.activation(g.activation(g.conv2d(x, kernel(1)), 'gelu'), 'silu'))).toEqual([
      'conv2d activation',
      'activation',
    ]);
  });

  it('is no sums behind an activation', () => {
    expect(fused((g, x, v) => g.addPerChannel(g.activation(g.conv2d(x, kernel(1)), 'silu'), v))).toEqual([
      'conv2d activation',
      'add_per_channel',
    ]);
  });

  it('is a relu or a leaky one for backends that can', () => {
    const relu = (g: GraphBuilder, x: Value) => g.activation(g.conv2d(x, kernel(1)), 'relu');
    const leaky = (g: GraphBuilder, x: Value) => g.leakyRelu(g.conv2d(x, kernel(1)), 0.1);
    expect(fused(relu)).toEqual(['conv2d', 'activation']);
    expect(fused(leaky)).toEqual(['conv2d', 'leaky_relu']);
    expect(fused(relu, { leaky: true })).toEqual(['conv2d activation']);
    expect(fused(leaky, { leaky: true })).toEqual(['conv2d leaky_relu']);
  });

  it('is nothing where ONNX Runtime computes it', () => {
    expect(fused((g, x) => g.activation(g.conv2d(x, kernel(5), undefined, { padding: 2 }), 'silu'))).toEqual([
      'conv2d',
      'activation',
    ]);
  });

  it('is no result that something else reads, too, or the graph gives', () => {
    expect(
      fused((g, x) => {
        const y = g.conv2d(x, kernel(1));
        return g.add(g.activation(y, 'silu'), y);
      }),
    ).toEqual(['conv2d', 'activation', 'add']);
  });
});

it('a linear layer takes geglu, a convolution does not', () => {
  const graph = new GraphBuilder('test');
  const x = graph.input('x', [1, 4, 8]);
  graph.output('y', graph.geglu(graph.linear(x, weight(16, 8))));
  const built = graph.build();
  const fusion = planFusions(built).get(built.nodes[0]!)!;
  expect(fusion.epilogue).toEqual({ activation: 'geglu' });
  expect(fused((g, x) => g.geglu(g.conv2d(x, kernel(1))))).toEqual(['conv2d', 'geglu']);
});

it('a group norm takes silu alone', () => {
  const norm = (g: GraphBuilder, x: Value) => g.groupNorm(x, 4, weight(8), weight(8), 1e-5);
  expect(fused((g, x) => g.activation(norm(g, x), 'silu'))).toEqual(['group_norm activation']);
  expect(fused((g, x) => g.activation(norm(g, x), 'gelu'))).toEqual(['group_norm', 'activation']);
});

it('of two products that are summed, the later one takes the other’s result along', () => {
  const runs = fused((g, x) => {
    const first = g.conv2d(x, kernel(1));
    return g.add(g.conv2d(x, kernel(3), undefined, { padding: 1 }), first);
  });
  expect(runs).toEqual(['conv2d', 'conv2d add']);
});
