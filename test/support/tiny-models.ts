/** The tiny checkpoints as models, and the reference's tensors for them. */
import { createOnnxBackend } from '../../src/compute/onnx/backend.js';
import type { ClipModel } from '../../src/models/clip/clip-model.js';
import { createClipModel } from '../../src/models/clip/create-clip-model.js';
import { textEncoderWeights } from '../../src/models/clip/text-weights.js';
import type { DiffusionModel } from '../../src/models/diffusion-model.js';
import { discreteSampling } from '../../src/models/model-sampling.js';
import { createProgramCache } from '../../src/models/program-cache.js';
import { openSafetensors } from '../../src/models/safetensors.js';
import { safetensorsWeights } from '../../src/models/safetensors-weights.js';
import { detectUnet } from '../../src/models/unet/detect.js';
import { createUnetModel } from '../../src/models/unet/unet-model.js';
import { underPrefix } from '../../src/models/weight-views.js';
import { goldenTensors, tinyCheckpoint, type GoldenTensors } from './golden.js';

export interface TinyModels {
  readonly model: DiffusionModel;
  readonly clip: ClipModel;
  readonly golden: GoldenTensors;
}

export const programs = createProgramCache(createOnnxBackend());

export function tinyModels(family: 'sd15' | 'sdxl'): TinyModels {
  const checkpoint = safetensorsWeights(openSafetensors(tinyCheckpoint(family)));
  const weights = underPrefix(checkpoint, 'model.diffusion_model.');
  const unet = detectUnet(weights);
  if (unet === undefined) throw new Error(`the tiny ${family} checkpoint has no UNet`);
  return {
    model: createUnetModel(
      {
        family: family === 'sd15' ? 'sd1' : 'sdxl',
        unet,
        weights,
        latentFormat: {
          channels: 4,
          downscale: 8,
          scaleFactor: family === 'sd15' ? 0.18215 : 0.13025,
          rgbFactors: [],
        },
        sampling: discreteSampling('epsilon'),
      },
      programs,
    ),
    clip: createClipModel({
      weights: textEncoderWeights(checkpoint),
      programs,
      embeddings: {
        list: () => [],
        open: () => {
          throw new Error('the golden prompts name no embeddings');
        },
      },
    }),
    golden: goldenTensors(`golden/${family}-tiny.golden.safetensors`),
  };
}
