/** Which model files a workflow names, in either of ComfyUI's formats. */
import { basename } from 'node:path';
import { modelKinds } from '../models/folders/model-folders.js';

export interface NamedModel {
  /** As the workflow has it, with `/`. */
  readonly name: string;
  /** The subfolder of a models folder that the place of the name speaks of. */
  readonly folder: string | undefined;
  /** What the workflow itself says of where the file is to be had: a stranger's word. */
  readonly url: string | undefined;
}

const MODEL_FILE = /\.(safetensors|sft|ckpt|pt|pt2|pth|bin|pkl|gguf|onnx)$/i;

/** Nodes of subgraphs lie a dozen deep. */
const MAX_DEPTH = 100;

/** What inputs of ComfyUI's loaders, and the classes that have them, name. */
const PLACES: readonly (readonly [place: RegExp, folder: string])[] = [
  [/ckpt_name|checkpoint/i, 'checkpoints'],
  [/lora/i, 'loras'],
  [/unet|diffusion_?model/i, 'diffusion_models'],
  [/clip_?vision/i, 'clip_vision'],
  [/vae/i, 'vae'],
  [/control_?net|t2i/i, 'controlnet'],
  [/ipadapter/i, 'ipadapter'],
  [/style_?model/i, 'style_models'],
  [/upscale/i, 'upscale_models'],
  [/clip|text_?encoder/i, 'text_encoders'],
];

/** Each once, in the order in which the workflow has them. */
export function namedModels(workflow: unknown): readonly NamedModel[] {
  const found = new Map<string, NamedModel>();
  const add = (model: NamedModel): void => {
    const key = basename(model.name).toLowerCase();
    const before = found.get(key);
    found.set(key, {
      // The name that a node has counts, whatever folders the list beside it leaves out.
      name: before !== undefined && before.name.length >= model.name.length ? before.name : model.name,
      folder: before?.folder ?? model.folder,
      url: before?.url ?? model.url,
    });
  };
  const visit = (value: unknown, place: string, depth: number): void => {
    if (depth > MAX_DEPTH) return;
    if (typeof value === 'string') {
      if (MODEL_FILE.test(value) && !/^\w+:\/\//.test(value) && value.length < 300 && !value.includes('\n'))
        add({ name: value.replaceAll('\\', '/'), folder: folderOf(place), url: undefined });
    } else if (Array.isArray(value)) {
      for (const one of value) visit(one, place, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      visitObject(value as Readonly<Record<string, unknown>>, place, depth);
    }
  };
  const visitObject = (object: Readonly<Record<string, unknown>>, place: string, depth: number): void => {
    const { name, url, directory, class_type: classType, type } = object;
    if (typeof name === 'string' && typeof url === 'string' && MODEL_FILE.test(name)) {
      add({ name, url, folder: typeof directory === 'string' ? directory : undefined });
      return;
    }
    const node = typeof classType === 'string' ? classType : typeof type === 'string' ? type : place;
    for (const [key, one] of Object.entries(object)) {
      // An input's name says more than its class; the rest of an object says nothing.
      visit(one, folderOf(key) === undefined ? node : key, depth + 1);
    }
  };
  visit(workflow, '', 0);
  return [...found.values()];
}

function folderOf(place: string): string | undefined {
  if (modelKinds(place).length > 0) return place;
  return PLACES.find(([pattern]) => pattern.test(place))?.[1];
}
