/** Where users have vocabularies that no package ships. */
import { statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { ModelError } from '../model-error.js';

export type VocabularyName = 't5' | 'llama' | 't5_pile';

/** As they are called in a folder of their own. */
const fileNames: Readonly<Record<VocabularyName, string>> = {
  t5: 'tokenizer.json',
  llama: 'tokenizer.json',
  t5_pile: 'tokenizer.model',
};

const described: Readonly<Record<VocabularyName, string>> = {
  t5: "T5's tokenizer.json (of google/t5-v1_1-xxl or comfy/text_encoders/t5_tokenizer of ComfyUI)",
  llama: "Llama 3's tokenizer.json (comfy/text_encoders/llama_tokenizer of ComfyUI)",
  t5_pile: "Pile T5's tokenizer.model (comfy/text_encoders/t5_pile_tokenizer of ComfyUI)",
};

/**
 * The file of a vocabulary below one of `roots`, which are models folders: `tokenizers/NAME/tokenizer.json`, `tokenizers/NAME.json` (or `.model`),
 * or in the ComfyUI whose folder it is or that lies beside it. Throws `ModelError` saying where it was looked for.
 */
export function findVocabulary(roots: readonly string[], name: VocabularyName): string {
  const file = fileNames[name];
  const ending = extname(file);
  const own = [`${name}_tokenizer/${file}`, `${name}/${file}`];
  const files = [...own, `${name}_tokenizer${ending}`, `${name}-tokenizer${ending}`, `${name}${ending}`];
  const comfy = join('comfy', 'text_encoders', own[0]!);
  const candidates = roots.flatMap((root) => [
    ...files.flatMap((each) => [each, `${each}.gz`]).map((each) => join(root, 'tokenizers', each)),
    join(dirname(root), comfy),
    join(dirname(root), 'ComfyUI', comfy),
    join(dirname(dirname(root)), comfy),
  ]);
  const found = candidates.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (found !== undefined) return found;
  const [root = 'models'] = roots;
  throw new ModelError(
    `the text encoder needs ${described[name]}, which latentd doesn't ship: put it at ${join(root, 'tokenizers', own[0]!)}, or keep ComfyUI's folder around ${root}`,
  );
}
