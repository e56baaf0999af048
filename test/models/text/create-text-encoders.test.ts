import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import type { CompleteFamily } from '../../../src/models/families/unet-family.js';
import { sd1 } from '../../../src/models/families/sd1.js';
import { sd2 } from '../../../src/models/families/sd2.js';
import { sdxl } from '../../../src/models/families/sdxl.js';
import { sdxlRefiner } from '../../../src/models/families/sdxl-refiner.js';
import { createTextEncoders } from '../../../src/models/text/create-text-encoders.js';
import type { TextEncoders } from '../../../src/models/text/text-encoders.js';
import type { WeightPatch } from '../../../src/models/weights/weight-patches.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import type { WeightSource } from '../../../src/models/weights/weight-source.js';
import {
  fixture,
  goldenTensors,
  relativeRms,
  syntheticCheckpoint,
  tinyCheckpoint,
} from '../../support/golden.js';
import { fixtureEmbeddings, readFixture, type ReferenceEncoding } from '../clip/reference.js';

const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());

const notHere = (): never => {
  throw new Error('CLIP needs no vocabulary of the user');
};
/** CLIP's is the package's own. */
const noVocabularies = {
  t5: notHere,
  llama: notHere,
  pileT5: notHere,
};

/** ComfyUI's own noise is about 5e-7 here. */
const tolerance = 3e-6;

interface ReferenceModel {
  readonly family: CompleteFamily;
  readonly path: () => string;
}

const encodersOf = (name: string) => () => syntheticCheckpoint(`clip/manifests/${name}`);
const models: Readonly<Record<string, ReferenceModel>> = {
  sd15: { family: sd1, path: () => tinyCheckpoint('sd15') },
  'sd15-old': { family: sd1, path: encodersOf('sd15-old') },
  sd2: { family: sd2, path: encodersOf('sd2') },
  sdxl: { family: sdxl, path: () => tinyCheckpoint('sdxl') },
  'sdxl-hf': { family: sdxl, path: encodersOf('sdxl-hf') },
  refiner: { family: sdxlRefiner, path: encodersOf('refiner') },
};

function open(model: string, warnings: string[] = []): TextEncoders {
  const { family, path } = models[model]!;
  return createTextEncoders({
    ...family.text(safetensorsWeights(openSafetensors(path()))),
    programs,
    embeddings: fixtureEmbeddings(),
    vocabularies: noVocabularies,
    warn: (message) => warnings.push(message),
  });
}

/** `clip.0` to `clip.3` of the golden data. */
const prompts = [
  'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels',
  '(masterpiece:1.2), ((best quality)), [deemphasised], (nested (twice:1.5):0.8)',
  Array(74).fill('sword').join(' '),
  Array(60).fill('long castle dragon,').join(' '),
];

describe.each(['sd15', 'sdxl'] as const)('the text encoders of %s', (name) => {
  const golden = goldenTensors(`golden/${name}-tiny.golden.safetensors`);
  const clip = open(name);

  it.each([...prompts.entries()])('encode prompt %i as ComfyUI', async (index, prompt) => {
    const { cond, pooled } = await clip.encode(prompt);
    expect(relativeRms(cond, golden(`clip.${index}.cond`))).toBeLessThan(tolerance);
    expect(relativeRms(pooled!, golden(`clip.${index}.pooled`))).toBeLessThan(tolerance);
  });

  it('stop at the layer before the last', async () => {
    const { cond } = await clip.withLayer(-2).encode(prompts[0]!);
    expect(relativeRms(cond, golden('clip.skip2.cond'))).toBeLessThan(tolerance);
  });

  it('take patches, rounded to half precision like all their weights', async () => {
    const lora = safetensorsWeights(openSafetensors(fixture(`golden/${name}-tiny-lora.safetensors`)));
    const patched = clip.withPatches({
      l: loraPatches(clip.weights['l']!, lora, ['lora_te_', 'lora_te1_']),
      ...(name === 'sdxl' ? { g: loraPatches(clip.weights['g']!, lora, ['lora_te2_']) } : {}),
    });
    const { cond } = await patched.encode(prompts[0]!);
    expect(relativeRms(cond, golden('lora.cond'))).toBeLessThan(tolerance);
    expect(patched.identity).not.toBe(clip.identity);
  });
});

/** What a LoRA adds to each weight: up·down·alpha/rank, at the golden data's strength for the text encoders. */
function loraPatches(
  weights: WeightSource,
  lora: WeightSource,
  prefixes: readonly string[],
): ReadonlyMap<string, readonly WeightPatch[]> {
  const read = (key: string): Tensor => {
    const weight = lora.weight(key);
    const values = tensor(weight.shape);
    weight.read(values.data);
    return values;
  };
  const patches = new Map<string, readonly WeightPatch[]>();
  for (const key of weights.keys()) {
    const path = key.replace(/\.weight$/, '').replaceAll('.', '_');
    const name = prefixes.map((prefix) => prefix + path).find((found) => lora.has(`${found}.alpha`));
    if (name === undefined || !key.endsWith('.weight')) continue;
    const up = read(`${name}.lora_up.weight`);
    const down = read(`${name}.lora_down.weight`);
    const [rank, columns] = down.shape as [number, number];
    const scale = (0.6 * read(`${name}.alpha`).data[0]!) / rank;
    const apply = (values: Float32Array) => {
      values.forEach((value, index) => {
        const row = Math.floor(index / columns);
        let delta = 0;
        for (let k = 0; k < rank; k++) {
          delta += up.data[row * rank + k]! * down.data[k * columns + (index % columns)]!;
        }
        values[index] = value + scale * delta;
      });
    };
    patches.set(key, [{ identity: name, apply }]);
  }
  return patches;
}

describe('every family, layout and prompt of the reference', () => {
  const expected = goldenTensors('clip/encoded.safetensors');
  const cases = readFixture('encoded.json') as readonly ReferenceEncoding[];

  it.each([...cases.entries()])('case %i: %j', async (index, { model, text, texts, layer }) => {
    const opened = open(model);
    const clip = layer === undefined ? opened : opened.withLayer(layer);
    const { cond, pooled } = await (texts === undefined ? clip.encode(text!) : clip.encodeParts(texts));
    expect(relativeRms(everyFifthToken(cond), expected(`${index}.cond`))).toBeLessThan(tolerance);
    expect(relativeRms(pooled!, expected(`${index}.pooled`))).toBeLessThan(tolerance);
  });
});

function everyFifthToken({ shape, data }: Tensor): Tensor {
  const width = shape[2]!;
  const kept = data.filter((_, index) => Math.floor(index / width) % 5 === 0);
  return tensor([1, kept.length / width, width], kept);
}

describe('text encoders', () => {
  it('warns of an embedding made for another encoder', async () => {
    const warnings: string[] = [];
    await open('sdxl', warnings).encode('embedding:two knight');
    expect(warnings).toEqual([expect.stringContaining('clip_g')]);
  });

  it('encodes each section of a very long prompt like every other', async () => {
    const { cond } = await open('sd15').encode('sword '.repeat(75 * 20));
    const section = (index: number) =>
      tensor([77, 128], cond.data.subarray(index * 77 * 128, (index + 1) * 77 * 128));
    expect(cond.shape).toEqual([1, 20 * 77, 128]);
    expect(relativeRms(section(18), section(0))).toBeLessThan(1e-6);
  });

  it('refuses texts for encoders that it lacks', async () => {
    const clip = open('sd15');
    await expect(clip.encodeParts({ l: 'a', g: 'b' })).rejects.toThrow(/encoders g, l, but this CLIP has l/);
  });

  it('says so when the checkpoint was stripped of its text encoder', async () => {
    const { encoding, weights } = sdxl.text(safetensorsWeights(openSafetensors(tinyCheckpoint('sdxl'))));
    const options = { encoding, programs, embeddings: fixtureEmbeddings(), vocabularies: noVocabularies };
    await expect(createTextEncoders({ ...options, weights: {} }).encode('a')).rejects.toThrow(
      /holds no text encoder/,
    );
    const { l } = weights;
    await expect(createTextEncoders({ ...options, weights: { l: l! } }).encode('a')).rejects.toThrow(
      /lacks the text encoder g of its family/,
    );
  });
});
