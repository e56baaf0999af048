/** Which folders hold which kind of model: ComfyUI's layout of a models folder, and what `extra_model_paths.yaml` adds. */
import { join, resolve } from 'node:path';

/** The subfolders of a models folder (ComfyUI folder_paths.py), and where A1111 and facelib keep models for faces. */
const SUBFOLDERS = {
  checkpoints: ['checkpoints'],
  loras: ['loras'],
  diffusion_models: ['unet', 'diffusion_models'],
  text_encoders: ['text_encoders', 'clip'],
  vae: ['vae'],
  vae_approx: ['vae_approx'],
  embeddings: ['embeddings'],
  upscale_models: ['upscale_models'],
  facerestore_models: ['facerestore_models', 'Codeformer', 'CodeFormer', 'GFPGAN', 'RestoreFormer'],
  facedetection: ['facedetection', 'facelib', 'GFPGAN', 'Codeformer', 'CodeFormer'],
  clip_vision: ['clip_vision'],
  ipadapter: ['ipadapter'],
  style_models: ['style_models'],
  // Where a diffusers pipeline has it.
  safety_checker: ['safety_checker'],
  controlnet: ['controlnet', 't2i_adapter'],
  gligen: ['gligen'],
  hypernetworks: ['hypernetworks'],
  diffusers: ['diffusers'],
  latent_upscale_models: ['latent_upscale_models'],
  wildcards: ['wildcards'],
  rembg: ['rembg', 'u2net'],
  // Impact Pack's: what finds parts of pictures, as boxes and with outlines, and SAM's.
  ultralytics_bbox: ['ultralytics/bbox'],
  ultralytics_segm: ['ultralytics/segm'],
  ultralytics: ['ultralytics'],
  sams: ['sams'],
  onnx: ['onnx'],
  // Where comfyui_controlnet_aux keeps what it fetches, beside ComfyUI's models.
  annotators: ['annotators', '../custom_nodes/comfyui_controlnet_aux/ckpts'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A kind of models, by ComfyUI's names. */
export type ModelKind = keyof typeof SUBFOLDERS;

export const MODEL_KINDS = Object.keys(SUBFOLDERS) as readonly ModelKind[];

/** Other names that programs give to a kind: facerestore_cf registers `facedetection_models`, ComfyUI knew two kinds by others. */
const ALIASES: Readonly<Record<string, readonly ModelKind[]>> = {
  unet: ['diffusion_models'],
  clip: ['text_encoders'],
  facedetection_models: ['facedetection'],
  facelib: ['facedetection'],
  codeformer: ['facerestore_models', 'facedetection'],
  gfpgan: ['facerestore_models', 'facedetection'],
  restoreformer: ['facerestore_models'],
};

/** The kinds of models that a folder of this name holds; none for a name that says nothing. */
export function modelKinds(name: string): readonly ModelKind[] {
  if (Object.hasOwn(SUBFOLDERS, name)) return [name as ModelKind];
  return ALIASES[name.toLowerCase()] ?? [];
}

/** A folder that `extra_model_paths.yaml` adds for a kind. */
export interface ExtraModelPath {
  readonly kind: ModelKind;
  /** Absolute. */
  readonly path: string;
  /** Searched before the models folder's own. */
  readonly isDefault: boolean;
}

/**
 * The folders of every kind in the order in which they are searched. An extra path comes last, a default one first, so that
 * of two defaults the later one wins (ComfyUI folder_paths.py, add_model_folder_path).
 */
export function searchFolders(
  models: string,
  extra: readonly ExtraModelPath[],
): ReadonlyMap<ModelKind, readonly string[]> {
  const folders = new Map<ModelKind, string[]>();
  for (const kind of MODEL_KINDS) {
    folders.set(
      kind,
      SUBFOLDERS[kind].map((name) => join(resolve(models), name)),
    );
  }
  for (const { kind, path, isDefault } of extra) {
    const paths = folders.get(kind)!;
    const known = paths.indexOf(path);
    if (known >= 0) {
      if (!isDefault) continue;
      paths.splice(known, 1);
    }
    if (isDefault) paths.unshift(path);
    else paths.push(path);
  }
  return folders;
}
