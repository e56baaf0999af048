/** Turns away what Stable Diffusion's safety checker does, as diffusers' pipelines do. */
import { modelFingerprint } from '../files/model-files.js';
import { combo, defineNode, link } from '../definition.js';

export const safetyChecker = defineNode({
  name: 'StableDiffusionSafetyChecker',
  displayName: 'Safety Checker',
  category: 'image',
  description:
    'Blackens images that Stable Diffusion’s safety checker turns away, as diffusers’ pipelines do. Its file is diffusers’ safety_checker/model.safetensors, in models/safety_checker.',
  required: {
    images: link('IMAGE'),
    model_name: combo((folders) => folders.list('safety_checker'), { tooltip: 'The checker to load.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images' }],
  outputNode: true,
  fingerprint: ({ model_name }, folders) => modelFingerprint(folders, 'safety_checker', model_name),
  async run({ images, model_name }, { folders, models }) {
    const flags = await models.safetyChecker(folders.resolve('safety_checker', model_name)).check(images);
    const data = images.data.slice();
    const size = data.length / flags.length;
    for (const [index, isBad] of flags.entries()) {
      if (isBad) data.fill(0, index * size, (index + 1) * size);
    }
    return {
      outputs: [{ ...images, data }],
      ui: { text: [JSON.stringify({ nsfw_content_detected: flags })] },
    };
  },
});
