import { describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { GraphBuilder, type Graph } from '../../../src/compute/graph.js';
import { SymbolicDim } from '../../../src/compute/dim.js';
import { tensor } from '../../../src/compute/tensor.js';
import type { Weight } from '../../../src/compute/weight.js';

const backend = createOnnxBackend({ threads: 2 });

const filled = (name: string, shape: readonly number[], value: number): Weight => ({
  name,
  shape,
  read(into) {
    into.fill(value);
  },
});

/** y = a 3×3 sum of x over the pixels that exist, for any size. */
function boxGraph(): Graph {
  const graph = new GraphBuilder('box');
  const [batch, height, width] = ['batch', 'height', 'width'].map((name) => SymbolicDim.symbol(name));
  const x = graph.input('x', [batch!, 1, height!, width!]);
  graph.output('y', graph.conv2d(x, filled('ones', [1, 1, 3, 3], 1), undefined, { padding: 1 }));
  return graph.build();
}

const ones = (shape: readonly number[]) =>
  tensor(shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(1));

describe('a program', () => {
  it('runs at every size, one after the other and at once', async () => {
    const program = await backend.load(boxGraph());
    const shapes = [
      [1, 1, 2, 2],
      [3, 1, 1, 5],
      [2, 1, 7, 4],
    ];
    const results = await Promise.all(shapes.map((shape) => program.run({ x: ones(shape) })));
    expect(results.map(({ y }) => y!.shape)).toEqual(shapes);
    expect([...results[0]!.y!.data]).toEqual([4, 4, 4, 4]);
    expect([...results[1]!.y!.data.slice(0, 5)]).toEqual([2, 3, 3, 3, 2]);
    expect(results[2]!.y!.data[5]).toBe(9);
    await program.dispose();
  });

  it('gives memory back that no run of late has needed', async () => {
    const graph = new GraphBuilder('wide');
    const [height, width] = ['height', 'width'].map((name) => SymbolicDim.symbol(name));
    const x = graph.input('x', [1, 1, height!, width!]);
    const wide = graph.conv2d(graph.upsampleNearest(x, 32), filled('spread', [16, 1, 1, 1], 1));
    graph.output('y', graph.conv2d(wide, filled('gather', [1, 16, 1, 1], 1), undefined, { stride: 32 }));
    const program = await backend.load(graph.build());
    const run = (side: number) => program.run({ x: ones([1, 1, side, side]) });
    expect((await run(64)).y!.data[0]).toBe(16);
    const large = process.memoryUsage.rss();
    for (let i = 0; i < 64; i++) await run(1);
    // 16 channels of 2048×2048 pixels are 256 MB.
    expect(large - process.memoryUsage.rss()).toBeGreaterThan(200e6);
    expect((await run(64)).y!.data.every((value) => value === 16)).toBe(true);
    await program.dispose();
  });

  it('leaves the main thread free while it runs', async () => {
    const program = await backend.load(boxGraph());
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await program.run({ x: ones([8, 1, 1500, 1500]) });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
    await program.dispose();
  });

  it('finishes a run that is under way when it is disposed of, and refuses later ones', async () => {
    const program = await backend.load(boxGraph());
    const running = program.run({ x: ones([1, 1, 300, 300]) });
    await Promise.resolve();
    await program.dispose();
    expect((await running).y!.data[301]).toBe(9);
    await expect(program.run({ x: ones([1, 1, 2, 2]) })).rejects.toThrow("the session isn't loaded");
  });

  it('names the input that is missing, of another type or shape', async () => {
    const program = await backend.load(boxGraph());
    await expect(program.run({})).rejects.toThrow('input x of box is missing');
    const integers = { shape: [1, 1, 1, 1], data: new Int32Array(1) };
    await expect(program.run({ x: integers })).rejects.toThrow('input x of box should be float32, is int32');
    await expect(program.run({ x: ones([1, 2, 2, 2]) })).rejects.toThrow(
      'input x of box should have shape [batch, 1, height, width], has [1, 2, 2, 2]',
    );
    const short = { shape: [1, 1, 2, 2], data: new Float32Array(3) };
    await expect(program.run({ x: short })).rejects.toThrow('input x of box holds 3 values, not 4');
    await program.dispose();
  });

  it('names the layer that fails at some size', async () => {
    const graph = new GraphBuilder('small');
    const side = SymbolicDim.symbol('side');
    const x = graph.input('x', [1, 1, side, side]);
    const y = graph.within('block.conv', () => graph.conv2d(x, filled('w', [1, 1, 3, 3], 1)));
    graph.output('y', y);
    const program = await backend.load(graph.build());
    await expect(program.run({ x: ones([1, 1, 2, 2]) })).rejects.toThrow(
      /block\.conv Convolution.*the input doesn't fit the kernel/,
    );
    await program.dispose();
  });
});

describe('loading', () => {
  it('counts weights as they are held', async () => {
    const program = await backend.load(boxGraph());
    expect(program.residentBytes).toBe(9 * 4);
    await program.dispose();
  });

  it('refuses kernels that the processor lacks and threads that are none', async () => {
    const unknown = createOnnxBackend({ kernels: 'avx1024' as 'avx2' });
    await expect(unknown.load(boxGraph())).rejects.toThrow(/no kernels named avx1024; it has .*portable/);
    await expect(createOnnxBackend({ threads: 0 }).load(boxGraph())).rejects.toThrow(
      'options.threads must be at least 1',
    );
  });
});
