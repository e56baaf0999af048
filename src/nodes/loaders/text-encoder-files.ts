/** What loaders of text encoders share. */
import type { Folders } from '../../models/folders/folders.js';
import type { ModelStore } from '../../models/model-store.js';
import type { TextEncoders } from '../../models/text/text-encoders.js';
import { modelFingerprint } from '../files/model-files.js';

/** Changes when one of the files does. */
export function fingerprints(folders: Folders, names: readonly string[]): string {
  return names.map((name) => modelFingerprint(folders, 'text_encoders', name)).join(' ');
}

/** Throws `ModelError` for a name that no file has, and for files that don't make up what the type needs. */
export function loadTextEncoders(
  { folders, models }: { readonly folders: Folders; readonly models: ModelStore },
  names: readonly string[],
  type: string,
): TextEncoders {
  return models.textEncoders(
    names.map((name) => folders.resolve('text_encoders', name)),
    type,
  );
}

/** Types of one encoder, in ComfyUI's order. */
export const singleTypes = [
  ...['stable_diffusion', 'stable_cascade', 'sd3', 'stable_audio', 'mochi', 'ltxv', 'pixart', 'cosmos'],
  ...['lumina2', 'wan', 'hidream', 'chroma', 'ace', 'omnigen2', 'qwen_image', 'hunyuan_image', 'flux2'],
  ...['ovis', 'longcat_image', 'cogvideox', 'lens', 'pixeldit', 'ideogram4', 'boogu', 'krea2', 'joyimage'],
  'mage',
];

/** Types of two encoders, in ComfyUI's order. */
export const dualTypes = [
  ...['sdxl', 'sd3', 'flux', 'hunyuan_video', 'hidream', 'hunyuan_image', 'hunyuan_video_15'],
  ...['kandinsky5', 'kandinsky5_image', 'ltxv', 'newbie', 'ace'],
];
