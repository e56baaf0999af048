/** Diffusion models to files, with all that was merged into them (ComfyUI comfy_extras/nodes_model_merging.py, ModelSave). */
import { defineNode, link, string } from '../definition.js';
import { writeModel } from '../files/model-writer.js';
import { openSeries, saveWritten } from '../files/output-files.js';

/** What loaders look for before a denoiser's keys. */
const PREFIX = 'model.diffusion_model.';

export const modelSave = defineNode({
  name: 'ModelSave',
  displayName: 'ModelSave',
  category: 'model/merging',
  description:
    'Saves a diffusion model, LoRAs and merges in its weights, in float32, with the workflow inside.',
  required: {
    model: link('MODEL', { tooltip: 'The model.' }),
    filename_prefix: string({
      default: 'diffusion_models/ComfyUI',
      tooltip: 'What file names begin with; may hold subfolders.',
    }),
  },
  optional: {},
  outputs: [],
  outputNode: true,
  async run({ model, filename_prefix }, { folders, metadata, signal, progress }) {
    const { weights, sampling } = model;
    const series = await openSeries('output', folders.output, filename_prefix, { width: 0, height: 0 });
    const isVelocity = sampling.prediction === 'v_prediction';
    const predicts = isVelocity ? 'v' : sampling.prediction === 'epsilon' ? 'epsilon' : undefined;
    const named = new Map([...weights.keys()].map((key) => [PREFIX + key, weights.weight(key)] as const));
    const name = { counter: series.counter, batch: 0, extension: '.safetensors' };
    await saveWritten(series, name, (path) =>
      writeModel(path, {
        weights: named,
        marks: isVelocity ? ['v_pred'] : [],
        metadata: { ...metadata, ...(predicts !== undefined && { 'modelspec.predict_key': predicts }) },
        signal,
        onTensor(step, totalSteps) {
          progress({ step, totalSteps });
        },
      }),
    );
    return { outputs: [] };
  },
});
