/** What a workflow holds in memory while it draws, counted from the headers of its checkpoints. */
import { peakBytes } from '../../compute/peak-memory.js';
import { recogniseCheckpoint } from '../../models/families/recognise.js';
import { openModelFile } from '../../models/files/model-file.js';
import { safetensorsWeights } from '../../models/files/safetensors-weights.js';
import type { Folders } from '../../models/folders/folders.js';
import { ModelError } from '../../models/model-error.js';
import { readAutoencoder } from '../../models/vae/autoencoder.js';
import type { Workflow } from '../../workflow/parse.js';
import type { UsedModel } from './report.js';

const TOKENS = 77;
const DEFAULT_SIDE = 512;
const MAX_BATCH = 64;

/** The most that one step, or the last decoding, of any of the checkpoints takes; undefined where none is recognised. */
export function workingBytes(
  workflow: Workflow,
  models: readonly UsedModel[],
  folders: Folders,
): number | undefined {
  const peaks = models.flatMap(({ kind, name, error }) =>
    kind === 'checkpoints' && error === undefined
      ? checkpointPeak(folders.resolve(kind, name), workflow)
      : [],
  );
  return peaks.length === 0 ? undefined : Math.max(...peaks);
}

function checkpointPeak(path: string, workflow: Workflow): number[] {
  const { width, height, batch } = canvasOf(workflow);
  try {
    const opened = openModelFile(path);
    try {
      const { denoiser, vae } = recogniseCheckpoint(safetensorsWeights(opened));
      const { downscale } = denoiser.latentFormat;
      const latent = { H: Math.ceil(height / downscale), W: Math.ceil(width / downscale) };
      const step = peakBytes(denoiser.network.graph(denoiser.weights), {
        ...latent,
        N: 2 * batch,
        T: TOKENS,
      });
      const decoding =
        vae === undefined ? 0 : peakBytes(readAutoencoder(vae).networks.decoder.build(), { ...latent, N: 1 });
      return [step, decoding];
    } finally {
      opened.file.close();
    }
  } catch (error) {
    if (error instanceof ModelError) return [];
    throw error;
  }
}

/** The largest canvas of the workflow. */
function canvasOf(workflow: Workflow): {
  readonly width: number;
  readonly height: number;
  readonly batch: number;
} {
  const most = (input: string, otherwise: number) =>
    Math.max(
      otherwise,
      ...[...workflow.nodes.values()].map(({ inputs }) => {
        const value = inputs.get(input);
        return typeof value === 'bigint' && value < 2n ** 16n ? Number(value) : 0;
      }),
    );
  return {
    width: most('width', DEFAULT_SIDE),
    height: most('height', DEFAULT_SIDE),
    batch: Math.min(MAX_BATCH, most('batch_size', 1)),
  };
}
