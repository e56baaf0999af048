/** Work by name: what a control plane can ask for, as workflows. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { nearestHint } from '../../nearest-names.js';
import { TemplateError, fillWorkflow } from '../../templates/fill.js';
import { EditError, findNode, setInput } from '../../templates/edit-workflow.js';
import { findTemplate } from '../../templates/template-files.js';
import { WorkflowError } from '../../workflow/faults.js';
import { workflowText } from '../../workflow/file-text.js';
import { parseWorkflow } from '../../workflow/parse.js';
import { workflowJson } from '../../workflow/workflow-json.js';
import type { Literal } from '../../workflow/literal.js';
import type { Checker } from '../checker.js';
import type { Premises } from '../front.js';
import { WorkflowWriter } from '../workflow-writer.js';
import { ArtifactError, type Artifacts } from './artifacts.js';
import { TaskError } from './workflow-runner.js';

/** What is there to make workflows with. */
export interface ServiceHouse {
  readonly premises: () => Premises;
  readonly checker: Checker;
  readonly artifacts: Artifacts;
}

/** Parameters, and beside them what came from earlier work; parameters come first. */
export type ServiceInput = Readonly<Record<string, unknown>>;

export interface Service {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** The parameters' shape. */
  readonly parameters: z.ZodType;
  /** What it gives: the key of its first artifact. */
  readonly artifact: 'imageArtifact' | 'videoArtifact' | 'artifact';
  /** The workflow that does it, as JSON text. Throws `TaskError`. */
  workflow(input: ServiceInput, house: ServiceHouse): string | Promise<string>;
}

/** Of systems that latentd works for; it has no such models. */
export const LACKING: Readonly<Record<string, string>> = {
  'generate.f5_to_tts': 'speech from text',
  'generate.infinite_talk': 'speaking portraits',
  'train.train_lora': 'training',
  'generate.train_lora': 'training',
  train_lora: 'training',
  f5_to_tts: 'speech from text',
  infinite_talk: 'speaking portraits',
};

const size = z.int().min(16).max(16_384);
const artifact = z.union([z.string().min(1), z.object({ bucket: z.string(), key: z.string() })]);

const txt2imgParameters = z.object({
  prompt: z.string(),
  negative_prompt: z.string().optional(),
  model: z.string().optional(),
  template: z.string().optional(),
  width: size.optional(),
  height: size.optional(),
  steps: z.int().min(1).max(10_000).optional(),
  cfg: z.number().min(0).max(100).optional(),
  seed: z.int().min(0).optional(),
  sampler_name: z.string().optional(),
  scheduler: z.string().optional(),
  batch_size: z.int().min(1).max(64).optional(),
});

const workflowParameters = z.object({
  workflow: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  template: z.string().optional(),
  /** `NODE.INPUT`, with the node's id or title, to its value. */
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  prompt: z.string().optional(),
  negative_prompt: z.string().optional(),
  model: z.string().optional(),
  seed: z.int().min(0).optional(),
});

const restorer = {
  restorer: z.string().optional(),
  detector: z.string().optional(),
  fidelity: z.number().min(0).max(1).optional(),
};
const upscaleParameters = z.object({
  videoArtifact: artifact,
  model: z.string().optional(),
  format: z.string().optional(),
  frame_rate: z.number().min(1).max(240).optional(),
  faces: z.boolean().optional(),
  ...restorer,
});
const facesParameters = z.object({ imageArtifact: artifact, ...restorer });

export const SERVICES: readonly Service[] = [
  {
    id: 'generate.txt2img',
    label: 'Text to image',
    description: 'Draws pictures from a prompt.',
    parameters: txt2imgParameters,
    artifact: 'imageArtifact',
    workflow: txt2img,
  },
  {
    id: 'comfyui.workflow',
    label: 'ComfyUI workflow',
    description: "Runs a workflow in ComfyUI's API format: `workflow`, or `template` by name with `inputs`.",
    parameters: workflowParameters,
    artifact: 'artifact',
    workflow: ownWorkflow,
  },
  {
    id: 'generate.upscale_video',
    label: 'Upscale a video',
    description: 'Enlarges the frames of a film with a network, and restores their faces where asked to.',
    parameters: upscaleParameters,
    artifact: 'videoArtifact',
    workflow: upscaleVideo,
  },
  {
    id: 'generate.restore_faces',
    label: 'Restore faces',
    description: 'Finds the faces of a picture and restores each.',
    parameters: facesParameters,
    artifact: 'imageArtifact',
    workflow: restoreFaces,
  },
];

/** Other names of services. */
const ALIASES: Readonly<Record<string, string>> = {
  txt2img: 'generate.txt2img',
  'generate.text_to_image': 'generate.txt2img',
  workflow: 'comfyui.workflow',
  comfyui: 'comfyui.workflow',
  'comfyui.run': 'comfyui.workflow',
  'generate.workflow': 'comfyui.workflow',
  upscale_video: 'generate.upscale_video',
  faces: 'generate.restore_faces',
  'generate.faces': 'generate.restore_faces',
  restore_faces: 'generate.restore_faces',
};

/** Throws `TaskError`: `unsupported_service` for what latentd has no models for, `unknown_service` for any other name. */
export function findService(name: string): Service {
  const id = ALIASES[name] ?? name;
  const found = SERVICES.find((service) => service.id === id);
  if (found !== undefined) return found;
  const lacking = Object.hasOwn(LACKING, name) ? LACKING[name] : undefined;
  if (lacking !== undefined) {
    throw new TaskError(
      'unsupported_service',
      `${name}: latentd has no ${lacking}; another worker has to do it`,
    );
  }
  const shown = JSON.stringify(name.slice(0, 100));
  throw new TaskError(
    'unknown_service',
    `there is no service ${shown}${nearestHint(
      name,
      SERVICES.map((each) => each.id),
    )}`,
  );
}

async function txt2img(input: ServiceInput, house: ServiceHouse): Promise<string> {
  const given = parametersOf(txt2imgParameters, input);
  const { template, prompt, negative_prompt: negative = '', width, height, seed } = given;
  if (template !== undefined) return fromTemplate(template, given, house);
  const writer = new WorkflowWriter();
  const checkpoint = writer.node('CheckpointLoaderSimple', {
    ckpt_name: await checkpointOf(given.model, house),
  });
  const encode = (text: string) => writer.add('CLIPTextEncode', { text, clip: [checkpoint, 1] });
  const latent = writer.add('EmptyLatentImage', {
    width: width ?? 512,
    height: height ?? 512,
    batch_size: given.batch_size ?? 1,
  });
  const sampled = writer.add('KSampler', {
    ...{ model: [checkpoint, 0], positive: encode(prompt), negative: encode(negative), latent_image: latent },
    ...{ seed: seed ?? Math.floor(Math.random() * 2 ** 32), steps: given.steps ?? 20, cfg: given.cfg ?? 7 },
    ...{ sampler_name: given.sampler_name ?? 'euler', scheduler: given.scheduler ?? 'normal', denoise: 1 },
  });
  writer.node('SaveImage', {
    images: writer.add('VAEDecode', { samples: sampled, vae: [checkpoint, 2] }),
    filename_prefix: 'redis',
  });
  return writer.text();
}

function ownWorkflow(input: ServiceInput, house: ServiceHouse): string {
  const given = parametersOf(workflowParameters, input);
  if (given.workflow !== undefined) {
    const text = typeof given.workflow === 'string' ? given.workflow : JSON.stringify(given.workflow);
    return given.inputs === undefined ? text : edited(text, given.inputs);
  }
  if (given.template === undefined) {
    throw new TaskError(
      'invalid_params',
      'workflow or template is needed: a workflow itself, or the name of one',
    );
  }
  const filled = fromTemplate(given.template, given, house);
  return given.inputs === undefined ? filled : edited(filled, given.inputs);
}

async function upscaleVideo(input: ServiceInput, house: ServiceHouse): Promise<string> {
  const given = parametersOf(upscaleParameters, input);
  const { folders } = house.premises();
  const writer = new WorkflowWriter();
  const film = writer.node('VHS_LoadVideo', {
    video: await inputFile(given.videoArtifact, house),
    ...{
      force_rate: 0,
      custom_width: 0,
      custom_height: 0,
      frame_load_cap: 0,
      skip_first_frames: 0,
      select_every_nth: 1,
    },
  });
  const model = given.model ?? folders.list('upscale_models')[0];
  if (model === undefined) throw new TaskError('model_not_found', 'there is no model in upscale_models');
  const network = writer.add('UpscaleModelLoader', { model_name: model });
  const larger = writer.add('ImageUpscaleWithModel', { upscale_model: network, image: [film, 0] });
  const info = writer.node('VHS_VideoInfoLoaded', { video_info: [film, 3] });
  writer.node('VHS_VideoCombine', {
    images: given.faces === true ? restored(writer, larger, given, house) : larger,
    audio: [film, 2],
    frame_rate: given.frame_rate ?? [info, 0],
    ...{
      loop_count: 0,
      filename_prefix: 'redis',
      format: given.format ?? 'video/h264-mp4',
      pingpong: false,
      save_output: true,
    },
  });
  return writer.text();
}

async function restoreFaces(input: ServiceInput, house: ServiceHouse): Promise<string> {
  const given = parametersOf(facesParameters, input);
  const writer = new WorkflowWriter();
  const image = writer.add('LoadImage', { image: await inputFile(given.imageArtifact, house) });
  writer.node('SaveImage', { images: restored(writer, image, given, house), filename_prefix: 'redis' });
  return writer.text();
}

function restored(
  writer: WorkflowWriter,
  image: readonly [string, number],
  {
    restorer: name,
    detector,
    fidelity,
  }: { readonly [Key in keyof typeof restorer]?: z.infer<(typeof restorer)[Key]> },
  { premises }: ServiceHouse,
): readonly [string, number] {
  const model = name ?? premises().folders.list('facerestore_models')[0];
  if (model === undefined) throw new TaskError('model_not_found', 'there is no model in facerestore_models');
  return writer.add('FaceRestoreCFWithModel', {
    facerestore_model: writer.add('FaceRestoreModelLoader', { model_name: model }),
    image,
    facedetection: detector ?? 'retinaface_resnet50',
    codeformer_fidelity: fidelity ?? 0.5,
  });
}

type Txt2imgParameters = z.infer<typeof txt2imgParameters>;
/** What of it goes into a template. */
type TemplateParameters = {
  readonly [Name in keyof Txt2imgParameters]?: Txt2imgParameters[Name] | undefined;
};

function fromTemplate(name: string, given: TemplateParameters, { premises }: ServiceHouse): string {
  const { graphs } = premises();
  const file = findTemplate(graphs, name);
  if (file === undefined)
    throw new TaskError('template_not_found', `there is no template ${JSON.stringify(name.slice(0, 100))}`);
  return understood(() => {
    const { prompt, model, width, height, steps, cfg, seed, scheduler } = given;
    const filled = fillWorkflow(parseWorkflow(workflowText(readFileSync(file))), {
      ...(prompt !== undefined && { prompt }),
      ...(given.negative_prompt !== undefined && { negativePrompt: given.negative_prompt }),
      ...(model !== undefined && { model }),
      ...(width !== undefined && { width }),
      ...(height !== undefined && { height }),
      ...(steps !== undefined && { steps }),
      ...(cfg !== undefined && { cfg }),
      ...(seed !== undefined && { seed: BigInt(seed) }),
      ...(given.sampler_name !== undefined && { samplerName: given.sampler_name }),
      ...(scheduler !== undefined && { scheduler }),
      ...(given.batch_size !== undefined && { batchSize: given.batch_size }),
    });
    return workflowJson(filled);
  });
}

/** Sets inputs of nodes by `NODE.INPUT`. */
function edited(text: string, inputs: Readonly<Record<string, string | number | boolean>>): string {
  return understood(() => {
    let workflow = parseWorkflow(text);
    for (const [path, value] of Object.entries(inputs)) {
      const dot = path.lastIndexOf('.');
      const literal: Literal =
        typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
      workflow = setInput(workflow, findNode(workflow, path.slice(0, dot)), path.slice(dot + 1), literal);
    }
    return workflowJson(workflow);
  });
}

function understood<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof EditError || error instanceof TemplateError || error instanceof WorkflowError) {
      throw new TaskError('invalid_params', error.message);
    }
    throw error;
  }
}

function parametersOf<Value>(schema: z.ZodType<Value>, input: ServiceInput): Value {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new TaskError('invalid_params', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}

async function checkpointOf(name: string | undefined, { premises, checker }: ServiceHouse): Promise<string> {
  const { folders, defaultModel } = premises();
  const names = folders.list('checkpoints');
  if (name !== undefined) {
    const found = names.find((each) => each === name || each.replace(/\.[^.]+$/, '') === name);
    if (found !== undefined) return found;
    throw new TaskError(
      'model_not_found',
      `there is no checkpoint ${JSON.stringify(name.slice(0, 100))}${nearestHint(name, names)}`,
    );
  }
  const chosen = defaultModel ?? (await checker.chooseCheckpoint());
  if (chosen === undefined)
    throw new TaskError('model_not_found', 'there is no checkpoint in the models folder');
  return chosen;
}

async function inputFile(given: z.infer<typeof artifact>, { artifacts }: ServiceHouse): Promise<string> {
  try {
    if (typeof given !== 'string') return await artifacts.nodeInput(given);
    const [bucket = '', ...key] = given.split('/');
    return await artifacts.nodeInput({ bucket, key: key.join('/') });
  } catch (error) {
    if (error instanceof ArtifactError) throw new TaskError('artifact_not_found', error.message);
    throw error;
  }
}
