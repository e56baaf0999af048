import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import type { Tensor } from '../../../src/compute/tensor.js';
import { tensor } from '../../../src/compute/tensor.js';
import { splitText } from '../../../src/models/families/text/split-text.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { ModelError } from '../../../src/models/model-error.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import type { Section, TextEncoder } from '../../../src/models/text/text-encoding.js';
import type { WeightSource } from '../../../src/models/weights/weight-source.js';
import { goldenTensors, relativeRms, syntheticCheckpoint } from '../../support/golden.js';
import { fixtureEmbeddings } from '../clip/reference.js';
import { referenceTokens, type ReferenceTokens } from './reference.js';

const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());

const tokens = referenceTokens();
const golden = goldenTensors('text/encoded.safetensors');

const file = (name: string): WeightSource =>
  safetensorsWeights(openSafetensors(syntheticCheckpoint(`golden/manifests/${name}-tiny`)));

interface Case {
  readonly files: readonly string[];
  readonly type: string;
  readonly prompts: readonly number[];
  /** Of the rows that the fixture keeps. */
  readonly step?: number;
  readonly tolerance?: number;
}

/** T5's scores aren't scaled: on these weights ComfyUI's own float32 is 1.4e-5 off what float64 gives. */
const ofT5 = 8e-5;

const cases: Readonly<Record<string, Case>> = {
  z_image: { files: ['qwen3_4b'], type: 'lumina2', prompts: [2, 3] },
  lumina2: { files: ['gemma2_2b'], type: 'lumina2', prompts: [2, 3] },
  qwen_image: { files: ['qwen25_vl_7b'], type: 'qwen_image', prompts: [2, 3] },
  'flux2-klein': { files: ['qwen3_4b'], type: 'flux2', prompts: [2], step: 16 },
  'flux2-dev': { files: ['mistral3'], type: 'flux2', prompts: [2], step: 4 },
  'flux-dev': { files: ['t5xxl', 'clip_l'], type: 'flux', prompts: [2, 3], step: 8, tolerance: ofT5 },
  chroma: { files: ['t5xxl'], type: 'chroma', prompts: [2, 3], tolerance: ofT5 },
  'sd35-medium': {
    files: ['clip_g', 't5xxl', 'clip_l'],
    type: 'stable_diffusion',
    prompts: [2],
    step: 4,
    tolerance: ofT5,
  },
  wan21: { files: ['umt5xxl'], type: 'wan', prompts: [2, 3], step: 8, tolerance: ofT5 },
};

const sectionsOf = ({ ids, weights }: ReferenceTokens): Section[] =>
  ids.map((row, section) => row.map((token, at) => ({ token, weight: weights?.[section]?.[at] ?? 1 })));

const quiet = () => undefined;
const notHere = (): never => {
  throw new Error("T5's vocabulary is the user's");
};
const vocabularies = {
  t5: notHere,
  llama: notHere,
  pileT5: notHere,
};
const tokenize = (encoder: TextEncoder, weights: WeightSource, text: string) =>
  encoder.tokenize(text, { weights, vocabularies, embeddings: fixtureEmbeddings(), warn: quiet });

function everyRow(states: Tensor, step: number): Tensor {
  const [, rows = 0, width = 0] = states.shape;
  const kept = Math.ceil(rows / step);
  const every = tensor([1, kept, width]);
  for (let row = 0; row < kept; row++) {
    every.data.set(states.data.subarray(row * step * width, (row * step + 1) * width), row * width);
  }
  return every;
}

describe.each(Object.entries(cases))('%s', (family, { files, type, prompts, step = 1, tolerance = 5e-6 }) => {
  const open = () => splitText(files.map(file), type);
  const reference = tokens[family]!;

  it('cuts prompts into the tokens and weights that ComfyUI has', () => {
    const { encoding, weights } = open();
    const own = encoding.encoders.filter(({ name }) => name !== 't5xxl');
    expect(encoding.encoders.map(({ name }) => name).sort()).toEqual(Object.keys(reference).sort());
    for (const encoder of own) {
      for (const [text, expected] of Object.entries(reference[encoder.name]!)) {
        expect(tokenize(encoder, weights[encoder.name]!, text)).toEqual(sectionsOf(expected));
      }
    }
  });

  it.each(prompts)('encodes prompt %i as ComfyUI does', async (prompt) => {
    const { encoding, weights } = open();
    const encoded = [];
    for (const encoder of encoding.encoders) {
      const sections = sectionsOf(Object.values(reference[encoder.name]!)[prompt]!);
      const options = { weights: weights[encoder.name]!, stopAtLayer: undefined, programs, warn: quiet };
      encoded.push(await encoder.encode(sections, options));
    }
    const text = encoding.join(encoded);
    expect(relativeRms(everyRow(text.cond, step), golden(`${family}.${prompt}.cond`))).toBeLessThan(
      tolerance,
    );
    const [pooled, mask] = [text.pooled, text.attentionMask];
    if (pooled !== undefined) {
      expect(relativeRms(pooled, golden(`${family}.${prompt}.pooled_output`))).toBeLessThan(5e-6);
    }
    if (mask !== undefined) expect(mask).toEqual(golden(`${family}.${prompt}.attention_mask`));
    expect([pooled !== undefined, mask !== undefined]).toEqual([
      ['flux-dev', 'sd35-medium'].includes(family),
      ['z_image', 'lumina2', 'flux2-klein', 'flux2-dev'].includes(family),
    ]);
  });
});

it('names what a type of loader needs, and what a file is instead', () => {
  expect(() => splitText([file('clip_l'), file('gemma2_2b')], 'flux')).toThrow(
    new ModelError('text encoders of type flux need CLIP-L, T5-XXL; given are CLIP-L, Gemma 2'),
  );
  expect(() => splitText([file('ae')], 'flux2')).toThrow(/looks like no text encoder that is known/);
});

it("finds LoRA's names for T5 beside CLIP, and for a language model alone", () => {
  const names = (text: ReturnType<typeof splitText>) =>
    text.encoding.encoders.flatMap((encoder) =>
      [...encoder.loraNames(text.weights[encoder.name]!)].map(([name]) => name),
    );
  const flux = names(splitText([file('clip_l'), file('t5xxl')], 'flux'));
  expect(flux).toContain('lora_te2_encoder_block_0_layer_0_SelfAttention_q');
  expect(flux).toContain('text_encoders.t5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q');
  expect(names(splitText([file('qwen3_4b')], 'lumina2'))).toContain('lora_te_layers_0_self_attn_q_proj');
});
