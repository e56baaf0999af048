/** Model, prompts and sampling as nodes: what txt2img, its hires pass and img2img share. */
import type { Link, WorkflowWriter } from '../workflow-writer.js';
import { findModel, requireModel, type ModelListing } from './house.js';
import type { KnownOptions } from './options.js';
import { encodePositive, encodeStages } from './prompt/conditioning.js';
import { parseNetworks } from './prompt/extra-networks.js';
import type { StepSpacing } from './prompt/step-share.js';
import type { NamedSampling } from './samplers.js';

export interface LoadedModel {
  readonly model: Link;
  readonly clip: Link;
  readonly vae: Link;
}

export interface Prompts {
  readonly positive: string;
  readonly negative: string;
  /** `<lora:…>` is text. */
  readonly plain: boolean;
}

/** Which of the steps of a schedule are done. */
export interface Steps {
  readonly total: number;
  readonly first: number;
}

export interface Conditioned {
  readonly model: Link;
  readonly positive: Link;
  readonly negative: Link;
  /** What guidance is multiplied by. */
  readonly strength: number;
}

export function loadModel(
  writer: WorkflowWriter,
  checkpoint: string,
  options: KnownOptions,
  listing: ModelListing,
): LoadedModel {
  const node = writer.node('CheckpointLoaderSimple', { ckpt_name: checkpoint });
  const { sd_vae: vae, CLIP_stop_at_last_layers: skip } = options;
  const clip: Link = [node, 1];
  return {
    model: [node, 0],
    clip: skip > 1 ? writer.add('CLIPSetLastLayer', { clip, stop_at_clip_layer: -skip }) : clip,
    vae: isOwn(vae)
      ? [node, 2]
      : writer.add('VAELoader', { vae_name: requireModel(listing, 'vae', vae, 'VAE') }),
  };
}

/** Whether an `sd_vae` means the checkpoint's own. */
function isOwn(vae: string): boolean {
  return ['Automatic', 'None', 'auto', ''].includes(vae);
}

/** The model with the prompt's LoRAs, and both prompts encoded. */
export function condition(
  writer: WorkflowWriter,
  loaded: LoadedModel,
  prompts: Prompts,
  timing: { readonly sampling: NamedSampling; readonly steps: Steps },
  listing: ModelListing,
): Conditioned {
  const parsed = prompts.plain
    ? { text: prompts.positive, loras: [] }
    : parseNetworks(prompts.positive, listing.list('loras'));
  let { model, clip } = loaded;
  for (const { file, model: strength_model, clip: strength_clip } of parsed.loras) {
    const lora = writer.node('LoraLoader', { model, clip, lora_name: file, strength_model, strength_clip });
    [model, clip] = [
      [lora, 0],
      [lora, 1],
    ];
  }
  const place = {
    writer,
    clip,
    embeddings: listing.list('embeddings'),
    spacing: spacingOf(timing.sampling, timing.steps),
  };
  const positive = encodePositive(parsed.text, place, 'Positive Prompt');
  return {
    model,
    positive: positive.conditioning,
    negative: encodeStages(prompts.negative, place, 'Negative Prompt'),
    strength: positive.strength,
  };
}

export function spacingOf({ scheduler }: NamedSampling, { total, first }: Steps): StepSpacing {
  return { scheduler, steps: total, firstStep: first };
}

export interface SampleOptions {
  readonly sampling: NamedSampling;
  readonly steps: Steps;
  readonly cfg: number;
  readonly seed: number;
}

/** Samples from the first step that is done to the last. */
export function sample(
  writer: WorkflowWriter,
  { model, positive, negative, strength }: Conditioned,
  latent: Link,
  { sampling, steps, cfg, seed }: SampleOptions,
): Link {
  const guided = { model, positive, negative, cfg: cfg * strength * sampling.guidance };
  const { sampler, scheduler } = sampling;
  if (scheduler === undefined) {
    const schedule = writer.add('AlignYourStepsScheduler', {
      model_type: 'SD1',
      steps: steps.total,
      denoise: 1,
    });
    const split = writer.node('SplitSigmas', { sigmas: schedule, step: steps.first });
    return writer.add('SamplerCustom', {
      ...guided,
      add_noise: true,
      noise_seed: seed,
      sampler: writer.add('KSamplerSelect', { sampler_name: sampler }),
      sigmas: [split, 1],
      latent_image: latent,
    });
  }
  if (steps.first === 0) {
    return writer.add('KSampler', {
      ...guided,
      seed,
      steps: steps.total,
      sampler_name: sampler,
      scheduler,
      latent_image: latent,
      denoise: 1,
    });
  }
  return writer.add('KSamplerAdvanced', {
    ...guided,
    add_noise: 'enable',
    noise_seed: seed,
    steps: steps.total,
    sampler_name: sampler,
    scheduler,
    latent_image: latent,
    start_at_step: steps.first,
    end_at_step: 10_000,
    return_with_leftover_noise: 'disable',
  });
}

/**
 * How A1111 spreads steps over img2img (modules/sd_samplers_common.py, setup_img2img_steps): of the steps asked for, a share as large as the
 * strength is done and one more; where all asked for are to be done, the schedule is as much longer.
 */
export function stepsOfStrength(steps: number, strength: number, doesAll: boolean): Steps {
  const limited = Math.min(strength, 0.999);
  if (doesAll) {
    const total = Math.max(steps, Math.trunc(steps / Math.max(limited, 0.001)));
    return { total: Math.min(total, 10_000), first: Math.min(total, 10_000) - steps };
  }
  return { total: steps, first: Math.max(0, steps - Math.trunc(limited * steps) - 1) };
}

/** With faces restored where that is asked for and its models are there. */
export function restoreFaces(
  writer: WorkflowWriter,
  image: Link,
  options: KnownOptions,
  listing: ModelListing,
): Link {
  const name = options.face_restoration_model;
  const file =
    findModel(listing, 'facerestore_models', name) ??
    listing.list('facerestore_models').find((each) => each.toLowerCase().includes(name.toLowerCase())) ??
    requireModel(listing, 'facerestore_models', name, 'Face restorer');
  return writer.add('FaceRestoreCFWithModel', {
    facerestore_model: writer.add('FaceRestoreModelLoader', { model_name: file }),
    image,
    facedetection: 'retinaface_resnet50',
    codeformer_fidelity: options.code_former_weight,
  });
}
