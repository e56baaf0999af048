/** Every family against spandrel's own networks (tools/reference/upscalers.py, and the golden data), on both backends. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/compute/backend.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../../../src/compute/onnx/plain/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { openModelFile } from '../../../src/models/files/model-file.js';
import { createModelStore } from '../../../src/models/open-models.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import type { WeightSource } from '../../../src/models/weights/weight-source.js';
import { createUpscaler } from '../../../src/models/upscale/upscaler.js';
import type { StepProgress } from '../../../src/nodes/context.js';
import { imageUpscaleWithModel } from '../../../src/nodes/image/upscale-model.js';
import { nodeContext } from '../../support/node-context.js';
import { channelsLast } from '../../support/pictures.js';
import { weightOf } from '../../compute/fixtures.js';
import { goldenTensors, relativeRms, syntheticCheckpoint } from '../../support/golden.js';

const golden = goldenTensors('upscale/golden.safetensors');
const goldenCases = [
  ['compact-x4', 'Compact', 4],
  ['esrgan-x4', 'ESRGAN', 4],
  ['esrgan-plus-x4', 'ESRGAN', 4],
  ['esrgan-x2-shuffle', 'ESRGAN', 2],
  ['span-x2', 'SPAN', 2],
  ['realplksr-x4', 'RealPLKSR', 4],
  ['swinir-x2', 'SwinIR', 2],
  ['omnisr-x2', 'OmniSR', 2],
] as const;

/**
 * Of the synthetic SPAN's values 0.7 % lie within [0, 1], of up to 245: spandrel itself comes back to its own golden file to
 * 2.5e-3 only (and 3.1e-3 in float64). Swin2SR multiplies cosines by 100 before a softmax here, the most that it may: spandrel
 * in float64 is 2.8e-5 away from itself in float32 on the first of these, 2e-5 on the second, and rounding any one product of
 * its attention in another order moves it by 1e-5 to 2e-5.
 */
const tolerances: Readonly<Record<string, number>> = {
  'span-x2': 1e-2,
  'swin2sr-shuffle-x2': 4e-5,
  'swin2sr-aux-x2': 3e-5,
};
const tolerance = (name: string): number => tolerances[name] ?? 2e-5;

const backends = [
  { name: 'our kernels', backend: createOnnxBackend({ threads: 2 }) },
  { name: 'ONNX Runtime alone', backend: createPlainOnnxBackend({ threads: 2 }) },
];

const variants = goldenTensors('upscale/variants.safetensors');
/** Made with spandrel for families and layouts that have no golden data (tools/reference/upscalers.py). */
const variantCases = [
  ['esrgan-new-x2', 'ESRGAN', 2],
  ['esrgan-real-x8', 'ESRGAN', 8],
  ['esrgan-x1-grey', 'ESRGAN', 1],
  ['esrgan-x1-shuffle', 'ESRGAN', 1],
  ['compact-x1', 'Compact', 1],
  ['compact-x3', 'Compact', 3],
  ['span-x4-plain', 'SPAN', 4],
  ['plksr-ccm-x2', 'PLKSR', 2],
  ['plksr-iccm-rect-x3', 'PLKSR', 3],
  ['plksr-dccm-x4', 'PLKSR', 4],
  ['realplksr-norm-x2', 'RealPLKSR', 2],
  ['realplksr-dysample-x4', 'RealPLKSR', 4],
  ['realplksr-dysample-x3', 'RealPLKSR', 3],
  ['swinir-shuffle-3conv-x4', 'SwinIR', 4],
  ['swinir-direct-x3', 'SwinIR', 3],
  ['swinir-nearest-x4', 'SwinIR', 4],
  ['swinir-jpeg-grey', 'SwinIR', 1],
  ['swin2sr-shuffle-x2', 'Swin2SR', 2],
  ['swin2sr-direct-x2', 'Swin2SR', 2],
  ['swin2sr-nearest-x4', 'Swin2SR', 4],
  ['swin2sr-aux-x2', 'Swin2SR', 2],
  ['swin2sr-jpeg', 'Swin2SR', 1],
  ['omnisr-plain-x3', 'OmniSR', 3],
  ['omnisr-w4-x4', 'OmniSR', 4],
  ['dat-shuffle-x2', 'DAT', 2],
  ['dat-direct-3conv-x3', 'DAT', 3],
  ['hat-x2', 'HAT', 2],
  ['hat-x4', 'HAT', 4],
  ['plksr-sparse-x2', 'PLKSR', 2],
  ['compact-grey-to-rgb-x2', 'Compact', 2],
  ['swin2sr-positions-x2', 'Swin2SR', 2],
  ['swin2sr-half-x2', 'Swin2SR', 2],
  ['hat-positions-x2', 'HAT', 2],
  ['omnisr-no-bias-x1', 'OmniSR', 1],
] as const;

/** Fractions that no recipe makes: what a network derives for itself, and milder scales. */
const milder = new Set(['swin2sr-positions-x2', 'swin2sr-half-x2']);
const derivedBuffers = ['to_img.init_pos', ...datPositions(), ...swinValues()];

function* datPositions(): Generator<string> {
  for (const layer of [0, 1]) {
    for (const block of [0, 2]) {
      for (const branch of [0, 1]) yield `layers.${layer}.blocks.${block}.attn.attns.${branch}.rpe_biases`;
    }
  }
}

function* swinValues(): Generator<string> {
  for (const layer of [0, 1]) {
    for (const block of [0, 1]) {
      const path = `layers.${layer}.residual_group.blocks.${block}.attn`;
      yield* [`${path}.relative_coords_table`, `${path}.logit_scale`];
    }
  }
}

/** A synthetic checkpoint with the buffers that are kept beside its outputs. */
function withBuffers(name: string): WeightSource {
  const weights = safetensorsWeights(openModelFile(syntheticCheckpoint(`upscale/${name}`)));
  const kept = new Map(
    derivedBuffers
      .filter((key) => weights.has(key) && (milder.has(name) || !key.endsWith('logit_scale')))
      .map((key) => [key, variants(`${name}.buffer.${key}`)] as const),
  );
  return {
    ...weights,
    weight(key) {
      const buffer = kept.get(key);
      if (buffer === undefined) return weights.weight(key);
      return weightOf(key, buffer);
    },
  };
}

describe.each(backends)('agrees with spandrel, $name', ({ backend }) => {
  it.each(goldenCases)('%s', async (name, architecture, scale) => {
    const weights = safetensorsWeights(openModelFile(syntheticCheckpoint(`upscale/${name}`)));
    const programs = createProgramCache(backend);
    const upscaler = createUpscaler(weights, programs);
    expect([upscaler.architecture, upscaler.scale]).toEqual([architecture, scale]);
    const enlarged = await upscaler.upscale(channelsLast(golden(`${name}.in`)));
    await programs.dispose();
    expect(relativeRms(enlarged, channelsLast(golden(`${name}.out`)))).toBeLessThan(tolerance(name));
  });

  it.each(variantCases)('%s', async (name, architecture, scale) => {
    const programs = createProgramCache(backend);
    const upscaler = createUpscaler(withBuffers(name), programs);
    expect([upscaler.architecture, upscaler.scale]).toEqual([architecture, scale]);
    const enlarged = await upscaler.upscale(channelsLast(variants(`${name}.in`)));
    await programs.dispose();
    expect(relativeRms(enlarged, channelsLast(variants(`${name}.out`)))).toBeLessThan(tolerance(name));
  });
});

/** A synthetic checkpoint with some keys more, as large as one that it has. */
function withKeys(name: string, like: string, ...keys: readonly string[]): WeightSource {
  const weights = withBuffers(name);
  return {
    ...weights,
    keys: () => [...weights.keys(), ...keys],
    has: (key) => weights.has(key) || keys.includes(key),
    weight: (key) => weights.weight(keys.includes(key) ? like : key),
  };
}

describe('refuses what spandrel has no network for', () => {
  const programs = createProgramCache(createOnnxBackend({ threads: 2 }));
  it.each([
    ['swinir-nearest-x4', 'norm.weight', 'absolute_pos_embed', /variant of SwinIR .* no absolute_pos_embed$/],
    ['dat-shuffle-x2', 'norm.weight', 'absolute_pos_embed', /variant of DAT .* no absolute_pos_embed$/],
    ['hat-x2', 'norm.weight', 'layers.2.norm.weight', /layers\.2\.residual_group\.overlap_attn/],
    ['swin2sr-shuffle-x2', 'norm.weight', 'conv_after_body_hf.weight', /pixelshuffle_hf/],
    ['plksr-sparse-x2', 'feats.1.lk.convs.0.weight', 'feats.1.lk.convs.4.weight', /dilations no file says/],
    ['esrgan-x1-grey', 'model.0.weight', 'model.1.sub.0.RDB1.conv6.0.weight', /variant of ESRGAN/],
  ] as const)('%s with %s as %s', (name, like, key, message) => {
    const bias = key.replace('weight', 'bias');
    const keys = name.startsWith('plksr') ? [key, bias] : [key];
    expect(() => createUpscaler(withKeys(name, like, ...keys), programs)).toThrow(message);
  });

  it.each([
    ['unet1.conv1.conv.0.weight', 'Real-CUGAN'],
    ['layers.0.residual_group.layers.0.attn_atd.scale', 'ATD'],
    ['model.diffusion_model.head.modulation', 'Wan'],
  ])('a file with %s, which looks like %s', (key, name) => {
    const weights: WeightSource = { ...withBuffers('compact-x1'), keys: () => [key], has: () => false };
    expect(() => createUpscaler(weights, programs)).toThrow(new RegExp(`; it looks like ${name}$`));
  });

  it('pictures that learned positions are not for', async () => {
    const upscaler = createUpscaler(withBuffers('hat-positions-x2'), programs);
    await expect(upscaler.upscale(tensor([1, 16, 32, 3]))).rejects.toThrow(
      /positions for pictures of 24×24 alone \(absolute_pos_embed\), not for 16×32$/,
    );
  });

  it('a file that lacks a weight, when it is opened', () => {
    const weights = withBuffers('compact-x1');
    const lacking: WeightSource = {
      ...weights,
      has: (key) => weights.has(key),
      weight: (key) => {
        if (key === 'body.2.weight') throw new Error(`${key} is missing`);
        return weights.weight(key);
      },
    };
    expect(() => createUpscaler(lacking, programs)).toThrow('body.2.weight is missing');
  });
});

it('blends tiles as ImageUpscaleWithModel does, and tells of each', async () => {
  const folders = nodeContext().folders;
  const programs = createProgramCache(createOnnxBackend({ threads: 2 }));
  const models = createModelStore({ programs, folders });
  const tiles: (readonly [number, number])[] = [];
  const context = {
    ...nodeContext(),
    progress: ({ step, totalSteps }: StepProgress) => void tiles.push([step, totalSteps]),
  };
  const upscale_model = models.upscaler(syntheticCheckpoint('upscale/compact-x4'));
  const image = golden('node.compact-x4.in');
  const { outputs } = await imageUpscaleWithModel.run({ upscale_model, image }, context);
  expect(tiles).toEqual([
    [1, 2],
    [2, 2],
  ]);
  const [enlarged] = outputs;
  expect(enlarged.shape).toEqual([1, 160, 2240, 3]);
  const expected = golden('node.compact-x4.out_every8');
  const [, , columns = 0] = expected.shape;
  const everyEighth = tensor(expected.shape);
  everyEighth.data.forEach((_, at) => {
    const [y, x] = [Math.floor(at / (columns * 3)), Math.floor(at / 3) % columns];
    everyEighth.data[at] = enlarged.data[(8 * y * 2240 + 8 * x) * 3 + (at % 3)]!;
  });
  expect(relativeRms(everyEighth, expected)).toBeLessThan(2e-5);
  await programs.dispose();
});

it('halves its tiles when a run finds no memory, twice at most', async () => {
  const weights = safetensorsWeights(openModelFile(syntheticCheckpoint('upscale/compact-x1')));
  const backend = createOnnxBackend({ threads: 2 });
  const image = tensor([1, 300, 280, 3]);
  image.data.forEach((_, at) => {
    image.data[at] = ((at * 7919) % 1000) / 1000;
  });
  /** With room for pictures of `side` alone. */
  const cramped = (side: number): Backend => ({
    ...backend,
    load: async (graph) => {
      const program = await backend.load(graph);
      return {
        ...program,
        run(inputs) {
          if (inputs['x']!.shape[2]! > side) throw new Error('failed to allocate memory for the tile');
          return program.run(inputs);
        },
        dispose: () => program.dispose(),
      };
    },
  });
  const notes: string[] = [];
  const results: Tensor[] = [];
  for (const [given, options] of [
    [cramped(128), { notify: (note: string) => void notes.push(note) }],
    [backend, { memoryLimit: 1 }],
  ] as const) {
    const programs = createProgramCache(given);
    results.push(await createUpscaler(weights, programs, options).upscale(image));
    await programs.dispose();
  }
  expect(notes).toEqual([
    'upscaling in tiles of 256: memory is short',
    'upscaling in tiles of 128: memory is short',
  ]);
  expect(results[0]!.data).toEqual(results[1]!.data);

  const programs = createProgramCache(cramped(127));
  await expect(createUpscaler(weights, programs).upscale(image)).rejects.toThrow('failed to allocate');
  await programs.dispose();
});

it('takes smaller tiles where memory is short, and stops when it is told to', async () => {
  const weights = safetensorsWeights(openModelFile(syntheticCheckpoint('upscale/compact-x4')));
  const programs = createProgramCache(createOnnxBackend({ threads: 2 }));
  const notes: string[] = [];
  const upscaler = createUpscaler(weights, programs, {
    memoryLimit: 1e5,
    notify: (note) => void notes.push(note),
  });
  const image = tensor([1, 16, 300, 3]);
  let tiles = 0;
  await upscaler.upscale(image, { onTile: () => tiles++ });
  expect(tiles).toBe(3);
  expect(notes[0]).toMatch(/^upscaling in tiles of 128: tiles of 512 would take about/);

  const stop = new AbortController();
  const onTile = () => {
    stop.abort(new Error('stopped'));
  };
  await expect(upscaler.upscale(image, { signal: stop.signal, onTile })).rejects.toThrow('stopped');
  await programs.dispose();
});
