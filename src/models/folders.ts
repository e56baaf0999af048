/** The subfolders of a models folder, ComfyUI's names. */
export type ModelKind =
  | 'checkpoints'
  | 'loras'
  | 'vae'
  | 'embeddings'
  | 'upscale_models'
  | 'facerestore_models'
  | 'facedetection'
  | 'controlnet'
  | 'latent_upscale_models';

/** Where models, inputs and outputs lie. Names from a workflow never lead out of their folder. */
export interface Folders {
  readonly input: string;
  readonly output: string;
  readonly temp: string;
  /** Names relative to the kind's folders, `/`-separated, sorted; models' own file extensions only. */
  list(kind: ModelKind): readonly string[];
  /** Absolute path of a listed name. Throws `ModelError` with the nearest names when there is none. */
  resolve(kind: ModelKind, name: string): string;
  /** File names in the input folder. */
  listInput(): readonly string[];
  /** Absolute path of a file named by a workflow, `NAME`, `SUB/NAME`, or ComfyUI's annotated `NAME [input|output|temp]`. */
  resolveInput(name: string): string;
}
