/** A prompt of A1111's as the nodes that encode it. */
import type { Link, WorkflowWriter } from '../../workflow-writer.js';
import { HttpFault } from '../fault.js';
import { chunksForComfy } from './attention.js';
import { promptsOf } from './compose.js';
import { nameEmbeddings } from './embeddings.js';
import { promptStages, type PromptStage } from './schedule.js';
import { shareAfterStep, type StepSpacing } from './step-share.js';

/** Of a whole request: `AND`, `BREAK` and changes multiply. */
const MAX_NODES = 1000;

export interface PromptPlace {
  readonly writer: WorkflowWriter;
  readonly clip: Link;
  readonly embeddings: readonly string[];
  readonly spacing: StepSpacing;
}

export interface EncodedPrompt {
  readonly conditioning: Link;
  /** The sum of the weights of prompts that stand beside each other: guidance is so many times stronger. */
  readonly strength: number;
}

/**
 * The positive prompt. Between `AND`s stand prompts that are predicted apart: A1111 adds up what each changes, times its weight, and ComfyUI takes the
 * weighted mean, so the guidance has to be the sum of the weights times as strong.
 */
export function encodePositive(prompt: string, place: PromptPlace, title: string): EncodedPrompt {
  const prompts = promptsOf(prompt);
  const strength = prompts.reduce((sum, { weight }) => sum + weight, 0);
  if (prompts.length === 1 || strength <= 0) {
    return { conditioning: encodeStages(prompt, place, title), strength: 1 };
  }
  const parts = prompts.map(({ text, weight }) => {
    const conditioning = encodeStages(text, place, title);
    if (weight === 1) return conditioning;
    return place.writer.add('ConditioningSetAreaStrength', { conditioning, strength: weight });
  });
  return { conditioning: combine(parts, place.writer), strength };
}

/** A prompt that may change on the way. */
export function encodeStages(prompt: string, place: PromptPlace, title: string): Link {
  const stages = promptStages(prompt, place.spacing.steps);
  const [only] = stages;
  if (only === undefined || stages.length === 1) return encodeChunks(only?.text ?? '', place, title);
  let start = 0;
  const parts = stages.map((stage, index) => {
    const end = index === stages.length - 1 ? 1 : endOf(stage, place.spacing);
    const conditioning = encodeChunks(stage.text, place, title);
    const part = place.writer.add('ConditioningSetTimestepRange', { conditioning, start, end });
    start = end;
    return part;
  });
  return combine(parts, place.writer);
}

function endOf({ endStep }: PromptStage, spacing: StepSpacing): number {
  return Number(shareAfterStep(spacing, endStep).toFixed(4));
}

/** Chunks between `BREAK`s are encoded by themselves and stand one after the other. */
function encodeChunks(prompt: string, { writer, clip, embeddings }: PromptPlace, title: string): Link {
  const parts = chunksForComfy(prompt).map((text) => {
    if (writer.size > MAX_NODES) {
      throw new HttpFault(422, `the prompt has too many parts: they come to more than ${MAX_NODES} nodes`);
    }
    return writer.add('CLIPTextEncode', { clip, text: nameEmbeddings(text, embeddings) }, title);
  });
  return parts.reduce((before, part) =>
    writer.add('ConditioningConcat', { conditioning_to: before, conditioning_from: part }),
  );
}

function combine(parts: readonly Link[], writer: WorkflowWriter): Link {
  return parts.reduce((before, part) =>
    writer.add('ConditioningCombine', { conditioning_1: before, conditioning_2: part }),
  );
}
