/** Latents to files and back, in ComfyUI's form (ComfyUI nodes.py, SaveLatent and LoadLatent). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { openSafetensors, type SafetensorsFile } from '../../models/files/safetensors.js';
import { dtypes } from '../../native/dtypes.js';
import { combo, defineNode, link, string } from '../definition.js';
import { contentHash, rejectMissing } from '../files/input-files.js';
import { openSeries, saveNumbered } from '../files/output-files.js';
import { safetensorsBytes } from '../files/safetensors-writer.js';

export const saveLatent = defineNode({
  name: 'SaveLatent',
  displayName: 'Save Latent',
  category: 'model/latent',
  description: 'Saves latents into the output folder, with the workflow inside.',
  required: {
    samples: link('LATENT'),
    filename_prefix: string({
      default: 'latents/ComfyUI',
      tooltip: 'What file names begin with; may hold subfolders and the variables of SaveImage.',
    }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'samples', tooltip: 'The latents, as they came.' }],
  outputNode: true,
  async run({ samples: latent, filename_prefix }, { folders, metadata }) {
    const series = await openSeries('output', folders.output, filename_prefix, { width: 0, height: 0 });
    const tensors = { latent_tensor: latent.samples, latent_format_version_0: tensor([0]) };
    const naming = { counter: series.counter, batch: 0, extension: '.latent' };
    const { file } = await saveNumbered(series, naming, safetensorsBytes(tensors, metadata));
    return { outputs: [latent], ui: { latents: [file] } };
  },
});

export const loadLatent = defineNode({
  name: 'LoadLatent',
  displayName: 'Load Latent',
  category: 'model/latent',
  description: 'Loads latents that SaveLatent saved, from the input folder.',
  required: {
    latent: combo((folders) => folders.listInput().filter((name) => name.endsWith('.latent')), {
      reject: rejectMissing,
      tooltip: 'A .latent file in the input folder, or NAME [output] for the output folder.',
    }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  fingerprint({ latent }, folders) {
    return contentHash(folders.resolveInput(latent));
  },
  tellsFingerprint: true,
  run({ latent }, { folders }) {
    const opened = openSafetensors(folders.resolveInput(latent));
    try {
      return { outputs: [{ samples: readLatent(opened) }] };
    } finally {
      opened.file.close();
    }
  },
});

/** Files without a version hold latents as the UNet of SD 1.x sees them. */
const UNVERSIONED_SCALE = Math.fround(1 / 0.18215);

function readLatent({ path, file, tensors }: SafetensorsFile): Tensor {
  const entry = tensors.get('latent_tensor');
  if (entry === undefined) throw new TypeError(`${path} is no latent: it has no latent_tensor`);
  const { dtype, shape, offset } = entry;
  if (!dtypes[dtype].widens) {
    throw new TypeError(`${path} is no latent: its latent_tensor is of type ${dtype}`);
  }
  const samples = tensor(shape);
  file.widen(offset, dtype, samples.data);
  if (tensors.has('latent_format_version_0')) return samples;
  return tensor(
    shape,
    samples.data.map((value) => value * UNVERSIONED_SCALE),
  );
}
