/** CLIP at work: sections of tokens to hidden states (ComfyUI comfy/sd1_clip.py, SDClipModel). */
import type { Activation } from '../../compute/graph.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { EncodedSections, Section } from '../text/text-encoding.js';
import { emptySection, sectionLength } from './sections.js';
import { buildTextGraph, readTextModelSizes, tokenEmbedding, type TextModelOutputs } from './text-graph.js';
import { endToken } from './tokenizer.js';

/** A tower with all that running it takes. */
export interface ClipRun {
  readonly name: string;
  /** Its weights under Hugging Face's names, as they are to be used. */
  readonly weights: WeightSource;
  readonly activation: Activation;
  readonly outputs: TextModelOutputs;
  readonly padToken: number;
  readonly programs: ProgramCache;
  /** Told of embeddings made for an encoder of another width; they are left out, as in ComfyUI. */
  readonly warn: (message: string) => void;
}

/** Sections in one run of the program; more are run in turns, to bound the memory that a very long prompt takes. */
const sectionsPerRun = 16;

/**
 * Runs the encoder. A token's weight moves its hidden state away from (or towards) what an empty prompt has in its place
 * (ComfyUI ClipTokenWeightEncoder.encode_token_weights).
 */
export async function encodeSections(
  encoder: ClipRun,
  sections: readonly Section[],
): Promise<EncodedSections> {
  const weighted = sections.some((section) => section.some(({ weight }) => weight !== 1));
  const rows = weighted ? [...sections, emptySection(encoder.padToken)] : sections;
  const { hidden, pooled } = await run(encoder, rows);

  const rowLength = hidden.length / rows.length;
  const states = hidden.subarray(0, sections.length * rowLength);
  if (weighted) {
    const empty = hidden.subarray(sections.length * rowLength);
    sections.forEach((section, index) => {
      applyWeights(states.subarray(index * rowLength, (index + 1) * rowLength), empty, section);
    });
  }
  const width = rowLength / sectionLength;
  return {
    hidden: tensor([1, sections.length * sectionLength, width], states),
    ...(pooled === undefined ? {} : { pooled }),
  };
}

/** state ← (state − empty)·weight + empty, rounded as torch does after each step. */
function applyWeights(states: Float32Array, empty: Float32Array, section: Section): void {
  const width = states.length / sectionLength;
  section.forEach(({ weight }, token) => {
    if (weight === 1) return;
    const factor = Math.fround(weight);
    for (let index = token * width; index < (token + 1) * width; index++) {
      const base = empty[index]!;
      states[index] = Math.fround(Math.fround(states[index]! - base) * factor) + base;
    }
  });
}

interface RawStates {
  /** Hidden states of all sections. */
  readonly hidden: Float32Array;
  readonly pooled?: Tensor;
}

async function run(encoder: ClipRun, sections: readonly Section[]): Promise<RawStates> {
  const { width } = readTextModelSizes(encoder.weights);
  const hidden = new Float32Array(sections.length * sectionLength * width);
  let pooled: Tensor | undefined;
  await encoder.programs.use(
    programKey(encoder),
    () => buildTextGraph(encoder.name, encoder.weights, encoder.activation, encoder.outputs),
    async (program) => {
      for (let start = 0; start < sections.length; start += sectionsPerRun) {
        const batch = embed(encoder, sections.slice(start, start + sectionsPerRun), width);
        const { count, embeddings, end } = batch;
        const results = await program.run({
          embeddings: tensor([count, sectionLength, width], embeddings),
          ...(encoder.outputs.pooled === 'none' ? {} : { end: { shape: [count], data: end } }),
        });
        hidden.set(results['hidden']!.data, start * sectionLength * width);
        if (start === 0 && results['pooled'] !== undefined) pooled = firstRow(results['pooled']);
      }
    },
  );
  return pooled === undefined ? { hidden } : { hidden, pooled };
}

function programKey({ name, weights, outputs }: ClipRun): string {
  return [weights.identity, name, outputs.layer, outputs.normalized, outputs.pooled].join('|');
}

function firstRow({ shape, data }: Tensor): Tensor {
  const width = shape.at(-1)!;
  return tensor([1, width], data.slice(0, width));
}

interface EmbeddedSections {
  readonly count: number;
  readonly embeddings: Float32Array;
  /** Where each section's pooled token is. */
  readonly end: Int32Array;
}

/** Token embeddings, textual inversions in their places (ComfyUI SDClipModel.process_tokens). */
function embed(encoder: ClipRun, sections: readonly Section[], width: number): EmbeddedSections {
  const known = new Map<number, Float32Array>();
  const vectorOf = (token: number): Float32Array => {
    const vector = known.get(token) ?? encoder.weights.rows(tokenEmbedding, token, 1);
    known.set(token, vector);
    return vector;
  };
  const embeddings = new Float32Array(sections.length * sectionLength * width);
  const end = new Int32Array(sections.length);
  sections.forEach((section, index) => {
    const tokens = section.map(({ token }) => token);
    const fitting = tokens.filter(
      (token): token is number | Float32Array =>
        typeof token === 'number' || (token instanceof Float32Array && token.length === width),
    );
    const strange = tokens.length - fitting.length;
    if (strange > 0) {
      encoder.warn(
        `${strange} vectors of embeddings in a prompt are ignored: ${encoder.name} needs them ${width} wide`,
      );
    }
    // What is left out leaves no gap; the section is filled up behind its padding.
    const padded = [...fitting, ...Array.from({ length: strange }, () => encoder.padToken)];
    padded.forEach((token, position) => {
      const vector = typeof token === 'number' ? vectorOf(token) : token;
      embeddings.set(vector, (index * sectionLength + position) * width);
    });
    end[index] = pooledPosition(fitting);
  });
  return { count: sections.length, embeddings, end };
}

/**
 * The first end token; ComfyUI counts the vocabulary's tokens up to it and every vector, so that a vector behind an end
 * token typed into the prompt moves it on.
 */
function pooledPosition(tokens: readonly (number | Float32Array)[]): number {
  const words = tokens.filter((token) => typeof token === 'number');
  const end = words.indexOf(endToken);
  return (end < 0 ? words.length : end + 1) + (tokens.length - words.length) - 1;
}
