/** Diffusion models that come without text encoders and autoencoder. */
import { modelFingerprint } from '../files/model-files.js';
import { combo, defineNode } from '../definition.js';

export const unetLoader = defineNode({
  name: 'UNETLoader',
  displayName: 'Load Diffusion Model',
  category: 'model/loaders',
  description: 'Loads a diffusion model that is kept apart from its text encoders and its VAE.',
  required: {
    unet_name: combo((folders) => folders.list('diffusion_models'), {
      tooltip: 'The diffusion model to load.',
    }),
    weight_dtype: combo(['default', 'fp8_e4m3fn', 'fp8_e4m3fn_fast', 'fp8_e5m2'], {
      tooltip: 'Weights are used in the type that they are stored in, whatever is chosen.',
    }),
  },
  optional: {},
  outputs: [{ type: 'MODEL', name: 'MODEL' }],
  fingerprint: ({ unet_name }, folders) => modelFingerprint(folders, 'diffusion_models', unet_name),
  run: ({ unet_name }, { folders, models }) => ({
    outputs: [models.diffusionModel(folders.resolve('diffusion_models', unet_name))],
  }),
});
