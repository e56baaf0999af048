import { looksLikeGguf, readGguf } from './gguf.js';
import { ModelError } from '../model-error.js';
import { openMapped, readSafetensors, type SafetensorsFile } from './safetensors.js';
import { rawEmbedding } from './torch-file/raw-embedding.js';
import {
  looksLikeOldTorch,
  looksLikeTorch,
  readTorchTensors,
  torchSignatureBytes,
} from './torch-file/torch-file.js';
import { PickleError } from './torch-file/values.js';

/**
 * Opens an embedding: a file of weights, or of one that torch can't load without running what is in it, the numbers of its largest
 * part, as ComfyUI does. Throws `ModelError` likewise.
 */
export function openEmbeddingFile(path: string): SafetensorsFile {
  try {
    return openModelFile(path);
  } catch (error) {
    if (!(error instanceof ModelError && error.cause instanceof PickleError)) throw error;
    return openMapped(path, (file) => {
      const tensors = rawEmbedding(file);
      if (tensors === undefined) throw error;
      return { metadata: {}, tensors };
    });
  }
}

/**
 * Opens a file of weights, `.safetensors`, `.gguf`, or one that torch.save wrote (`.pth`, `.pt`, `.ckpt`, `.bin`), told apart by its
 * first bytes. Its header or pickle is read, its tensors stay where they lie. Throws `ModelError` naming the file and what is
 * wrong with it.
 */
export function openModelFile(path: string): SafetensorsFile {
  return openMapped(path, (file) => {
    const start = file.read(0, Math.min(file.size, torchSignatureBytes));
    if (looksLikeGguf(start)) return readGguf(path, file);
    if (looksLikeTorch(start)) return readTorchTensors(path, file);
    if (looksLikeOldTorch(file)) {
      throw new ModelError(
        `${path} is a tar file, as torch wrote before 2017: load it in torch and save it again`,
      );
    }
    return readSafetensors(path, file);
  });
}
