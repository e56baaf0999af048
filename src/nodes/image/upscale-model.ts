/** Enlarging images with a network (ComfyUI comfy_extras/nodes_upscale_model.py). */
import { rgbOf } from '../../imaging/channels.js';
import { modelFingerprint } from '../files/model-files.js';
import { combo, defineNode, link } from '../definition.js';

export const upscaleModelLoader = defineNode({
  name: 'UpscaleModelLoader',
  displayName: 'Load Upscale Model',
  category: 'model/loaders',
  description: 'Loads a network that enlarges images: ESRGAN, SwinIR and others, recognised by their keys.',
  required: {
    model_name: combo((folders) => folders.list('upscale_models'), { tooltip: 'The model to load.' }),
  },
  optional: {},
  outputs: [{ type: 'UPSCALE_MODEL', name: 'UPSCALE_MODEL' }],
  fingerprint: ({ model_name }, folders) => modelFingerprint(folders, 'upscale_models', model_name),
  run({ model_name }, { folders, models }) {
    return { outputs: [models.upscaler(folders.resolve('upscale_models', model_name))] };
  },
});

export const imageUpscaleWithModel = defineNode({
  name: 'ImageUpscaleWithModel',
  displayName: 'Upscale Image (using Model)',
  category: 'image/upscaling',
  description: 'Enlarges images with a network, in tiles of 512 pixels, smaller ones where memory is short.',
  required: { upscale_model: link('UPSCALE_MODEL'), image: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  async run({ upscale_model, image }, { signal, progress }) {
    const onTile = (step: number, totalSteps: number) => {
      progress({ step, totalSteps });
    };
    // Transparency is for the few networks that take it; others have no use for it.
    const fitting = image.shape[3] === upscale_model.inputChannels ? image : rgbOf(image);
    return { outputs: [await upscale_model.upscale(fitting, { signal, onTile })] };
  },
});
