/** How nodes of the pack save and show images. */
import { previewPrefix, saveImages, type Image, type RunContext, type SavedFile } from '../../public.js';

/** Saves images as a node is told. */
export function easySave(
  images: Image,
  output: string,
  prefix: string,
  context: RunContext,
): Promise<SavedFile[]> {
  if (output === 'Hide' || output === 'None') return Promise.resolve([]);
  const saving =
    output === 'Preview'
      ? ({ type: 'temp', prefix: `easyPreview${previewPrefix()}`, compressionLevel: 1 } as const)
      : ({ type: 'output', prefix, compressionLevel: 4 } as const);
  return saveImages(images, saving, context);
}

/** Files, where the editor is to show them; of `Hide&Save` they are told all the same, under another name. */
export const shown = (output: string, files: readonly SavedFile[]) =>
  /^Hide|^None/.test(output) ? { files } : { images: files };
