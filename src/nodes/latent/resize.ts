/** Enlarging and shrinking latents (ComfyUI nodes.py). */
import { roundHalfEven } from '../../imaging/rounding.js';
import { CROP_METHODS, LATENT_UPSCALE_METHODS, upscaleLatent } from '../../imaging/upscale.js';
import { combo, defineNode, float, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const upscaleMethod = combo(LATENT_UPSCALE_METHODS, {
  tooltip: 'bislerp turns from one latent to the next instead of fading.',
});

const side = (tooltip: string) => int({ default: 512, min: 0, max: MAX_RESOLUTION, step: 8, tooltip });

export const latentUpscale = defineNode({
  name: 'LatentUpscale',
  displayName: 'Upscale Latent',
  category: 'model/latent',
  description: 'Resizes latents to a size in pixels.',
  required: {
    samples: link('LATENT'),
    upscale_method: upscaleMethod,
    width: side('Width in pixels; 0 keeps the aspect ratio.'),
    height: side('Height in pixels; 0 keeps the aspect ratio.'),
    crop: combo(CROP_METHODS, { tooltip: 'center cuts to the new aspect ratio first.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, upscale_method, width, height, crop }) {
    if (width === 0 && height === 0) return { outputs: [latent] };
    const [, , ownHeight, ownWidth] = latent.samples.shape as readonly [number, number, number, number];
    // 64 pixels at least; a missing side follows the other one.
    const target = {
      width: Math.max(64, width === 0 ? roundHalfEven((ownWidth * Math.max(64, height)) / ownHeight) : width),
      height: Math.max(
        64,
        height === 0 ? roundHalfEven((ownHeight * Math.max(64, width)) / ownWidth) : height,
      ),
    };
    const samples = upscaleLatent(latent.samples, upscale_method, {
      width: Math.floor(target.width / 8),
      height: Math.floor(target.height / 8),
      crop,
    });
    return { outputs: [{ ...latent, samples }] };
  },
});

export const latentUpscaleBy = defineNode({
  name: 'LatentUpscaleBy',
  displayName: 'Upscale Latent By',
  category: 'model/latent',
  description: 'Resizes latents by a factor.',
  required: {
    samples: link('LATENT'),
    upscale_method: upscaleMethod,
    scale_by: float({ default: 1.5, min: 0.01, max: 8, step: 0.01, tooltip: 'Factor for both sides.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, upscale_method, scale_by }) {
    const [, , height, width] = latent.samples.shape as readonly [number, number, number, number];
    const samples = upscaleLatent(latent.samples, upscale_method, {
      width: roundHalfEven(width * scale_by),
      height: roundHalfEven(height * scale_by),
    });
    return { outputs: [{ ...latent, samples }] };
  },
});
