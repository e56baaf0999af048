/** Lumina 2 and Z-Image (Turbo and base): one network with Gemma 2's or Qwen 3's text. */
import { wholeText } from '../denoiser-inputs/text.js';
import { flowSampling } from '../denoiser/model-sampling.js';
import { fluxLatent } from '../denoiser/transformer-latents.js';
import { loraNamesOf, luminaNames, SPELLINGS } from '../transformer/diffusers-names.js';
import { detectLumina, luminaNetwork } from '../transformer/lumina/network.js';
import { transformerFamily } from './transformer-family.js';

function family(name: string, title: string, isZImage: boolean, shift: number) {
  return transformerFamily({
    name,
    title,
    encoderType: 'lumina2',
    detect(denoiser) {
      const config = detectLumina(denoiser);
      return config?.isZImage === isZImage ? config : undefined;
    },
    kind: (config) => ({
      network: luminaNetwork(name, config),
      inputs: [wholeText],
      latentFormat: fluxLatent,
      sampling: flowSampling(shift, 1),
      loraNames: () => loraNamesOf(luminaNames(config), SPELLINGS.lumina),
    }),
  });
}

export const lumina2 = family('lumina2', 'Lumina 2', false, 6);
export const zImage = family('z_image', 'Z-Image', true, 3);
