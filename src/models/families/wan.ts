/** Wan 2.1 and 2.2: text and image to video, 1.3B, 14B (both halves of 2.2) and 5B; VACE, Fun's control and camera, Phantom. */
import { wholeText } from '../denoiser-inputs/text.js';
import {
  cameraPath,
  encodedPicture,
  filmBeside,
  filmSubjects,
  firstReference,
  frameMask,
  steeringFilms,
} from '../denoiser-inputs/film.js';
import { flowSampling } from '../denoiser/model-sampling.js';
import { wan21Latent, wan22Latent } from '../denoiser/transformer-latents.js';
import { detectWan, wanNetwork, type WanSizes } from '../transformer/wan/network.js';
import { transformerFamily } from './transformer-family.js';

const SHIFT = 8;
/** Channels beside the latent of image to video: a mask and a picture. */
const IMAGE_TO_VIDEO = 20;
const MULTIPLIER = 1000;

export const wan = transformerFamily({
  name: 'wan',
  title: 'Wan',
  encoderType: 'wan',
  detect: detectWan,
  kind(config) {
    const isSmall = config.outputs === wan22Latent.channels;
    const beside = config.inputs - config.outputs;
    return {
      kind: kindOf(config, isSmall, beside),
      network: wanNetwork(config),
      inputs: [
        wholeText,
        encodedPicture,
        filmSubjects,
        ...(beside > 0
          ? [filmBeside(beside, { cuts: config.pictureWidth !== undefined && beside === IMAGE_TO_VIDEO })]
          : []),
        ...(isSmall ? [frameMask] : []),
        ...(config.takesReference ? [firstReference] : []),
        ...(config.cameraChannels === undefined ? [] : [cameraPath]),
        ...(config.vace === undefined ? [] : steeringFilms),
      ],
      latentFormat: isSmall ? wan22Latent : wan21Latent,
      sampling: flowSampling(SHIFT, MULTIPLIER),
      keepsLatentClean: isSmall,
      drawsFromText: beside === 0,
      trainedSide: 480,
    };
  },
});

function kindOf(
  { vace, cameraChannels, takesReference }: WanSizes,
  isSmall: boolean,
  beside: number,
): string {
  if (vace !== undefined) return 'VACE';
  if (cameraChannels !== undefined) return 'camera';
  if (takesReference || beside > IMAGE_TO_VIDEO) return 'control';
  if (isSmall) return '2.2 5B';
  return beside > 0 ? 'image to video' : 'text to video';
}
