import { ModelError } from './model-error.js';
import { openMapped, readSafetensors, type SafetensorsFile } from './safetensors.js';
import {
  looksLikeOldTorch,
  looksLikeTorch,
  readTorchTensors,
  torchSignatureBytes,
} from './torch-file/torch-file.js';

/**
 * Opens a file of weights, `.safetensors` or one that torch.save wrote (`.pth`, `.pt`, `.ckpt`, `.bin`), told apart by its
 * first bytes. Its header or pickle is read, its tensors stay where they lie. Throws `ModelError` naming the file and what is
 * wrong with it.
 */
export function openModelFile(path: string): SafetensorsFile {
  return openMapped(path, (file) => {
    if (looksLikeTorch(file.read(0, Math.min(file.size, torchSignatureBytes)))) {
      return { metadata: {}, tensors: readTorchTensors(path, file) };
    }
    if (looksLikeOldTorch(file)) {
      throw new ModelError(
        `${path} is a tar file, as torch wrote before 2017: load it in torch and save it again`,
      );
    }
    return readSafetensors(path, file);
  });
}
