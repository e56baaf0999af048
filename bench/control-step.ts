/**
 * What control adds to a step: one evaluation with guidance of SD 1.5's UNet at 256×256 alone, with a ControlNet beside it, and with the
 * pictures of an IP-Adapter plus, in turns. SIDE (32) is the latent's, ROUNDS (7) how often each takes its turn.
 */
import { availableParallelism } from 'node:os';
import type { NamedTensors } from '../src/compute/backend.js';
import { bindDims, graphCost } from '../src/compute/cost.js';
import type { Graph } from '../src/compute/graph.js';
import { createOnnxBackend } from '../src/compute/onnx/backend.js';
import { pairedRatio } from '../src/bench/statistics.js';
import { buildControlGraph } from '../src/models/control/controlnet/graphs.js';
import { buildUnetGraph } from '../src/models/unet/unet-graph.js';
import { detectUnet } from '../src/models/unet/detect.js';
import { plainVariant, blockTokens } from '../src/models/unet/variant.js';
import { featureSizes } from '../src/models/unet/feature-sizes.js';
import type { WeightSource } from '../src/models/weights/weight-source.js';
import { computed } from '../src/models/weights/weight-values.js';
import { comparison } from './harness/comparison.js';
import { evaluation, fullUnet } from './harness/full-unet.js';

const side = Number(process.env['SIDE'] ?? 32);
const rounds = Number(process.env['ROUNDS'] ?? 7);
const threads = availableParallelism();
/** A UNet's weights, and convolutions of zeros, as a ControlNet has. */
function controlWeights(unet: WeightSource, channels: readonly number[]): WeightSource {
  const shapes = new Map<string, readonly number[]>();
  const add = (path: string, width: number) => {
    shapes.set(`${path}.weight`, [width, width, 1, 1]);
    shapes.set(`${path}.bias`, [width]);
  };
  channels.forEach((width, index) => {
    add(`zero_convs.${index}.0`, width);
  });
  add('middle_block_out.0', channels.at(-1)!);
  return {
    ...unet,
    identity: `${unet.identity} control`,
    has: (key) => shapes.has(key) || unet.has(key),
    weight(key) {
      const shape = shapes.get(key);
      if (shape === undefined) return unet.weight(key);
      const count = shape.reduce((product, extent) => product * extent, 1);
      return computed(key, shape, () => new Float32Array(count));
    },
  };
}

comparison(
  'control-step',
  'What a ControlNet and an IP-Adapter add to one evaluation of a full-size UNet.',
  async (results) => {
    const { name, weights } = fullUnet();
    const config = detectUnet(weights)!;
    const widths = config.residualBlocks.flatMap((count, level) => {
      const width = config.channelMultipliers[level]! * config.modelChannels;
      const halved = level === config.residualBlocks.length - 1 ? [] : [width];
      return [...Array<number>(count).fill(width), ...halved];
    });
    const channels = [config.modelChannels, ...widths];
    const control = channels.map((_, index) => `skip.${index}`);
    const blocks = blockTokens(config, featureSizes(config, { height: 64, width: 64 })).map(
      (_, index) => index,
    );
    const graphs = {
      plain: buildUnetGraph(config, weights),
      controlled: buildUnetGraph(config, weights, {
        ...plainVariant,
        control: [...control, 'middle'].sort(),
      }),
      controlnet: buildControlGraph(config, controlWeights(weights, channels)),
      pictures: buildUnetGraph(config, weights, { ...plainVariant, pictures: [{ blocks, isMasked: false }] }),
    };
    const flops = (graph: Graph) => {
      const shapes = Object.entries(inputsOf(graph)).map(([input, { shape }]) => [input, shape] as const);
      return graphCost(graph, bindDims(graph, Object.fromEntries(shapes))).flops;
    };
    results.note('checkpoint', name);
    results.note('threads', threads);
    results.note('work', `${(flops(graphs.plain) / 1e9).toFixed(0)} GFLOP`);
    results.note('a ControlNet’s share of it', (flops(graphs.controlnet) / flops(graphs.plain)).toFixed(3));
    results.note('pictures’ share of it', (flops(graphs.pictures) / flops(graphs.plain) - 1).toFixed(4));
    const backend = createOnnxBackend({ threads });
    const load = async (graph: Graph) => {
      const program = await backend.load(graph);
      return () => program.run(inputsOf(graph));
    };
    const [plain, controlled, controlnet, pictures] = [
      await load(graphs.plain),
      await load(graphs.controlled),
      await load(graphs.controlnet),
      await load(graphs.pictures),
    ];
    const contenders = [
      ['plain', plain],
      [
        'with a ControlNet',
        async () => {
          await controlnet();
          await controlled();
        },
      ],
      ['with pictures', pictures],
    ] as const;
    const times = contenders.map((): number[] => []);
    const processor = contenders.map((): number[] => []);
    // The first round, in which caches fill, doesn't count.
    for (let round = -1; round < rounds; round++) {
      for (const [index, [, step]] of contenders.entries()) {
        const before = process.cpuUsage();
        const started = performance.now();
        await step();
        const taken = performance.now() - started;
        const { user, system } = process.cpuUsage(before);
        if (round < 0) continue;
        times[index]!.push(taken);
        processor[index]!.push((user + system) / 1000);
      }
    }
    for (const [group, all] of [
      ['a step', times],
      ['a step, processor time of all threads', processor],
    ] as const) {
      contenders.forEach(([contender], index) => {
        const samples = all[index]!;
        const ratio = { to: 'plain', ...pairedRatio(all[0]!, samples) };
        results.add({ group, name: contender, unit: 'ms', samples, ...(index === 0 ? {} : { ratio }) });
      });
    }
  },
);

const known = new Map<Graph, NamedTensors>();

function inputsOf(graph: Graph): NamedTensors {
  const inputs = known.get(graph) ?? evaluation(graph, side);
  known.set(graph, inputs);
  return inputs;
}
