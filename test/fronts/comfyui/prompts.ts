/** Workflows in ComfyUI's API format for the tiny models of a `DaemonHome`. */
export interface TinyPrompt {
  readonly seed?: number;
  readonly steps?: number;
  readonly prefix?: string;
  readonly size?: number;
}

type Prompt = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

/** Text to image. */
export function picture({ seed = 1, steps = 2, prefix = 'tiny', size = 64 }: TinyPrompt = {}): Prompt {
  return {
    '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd15-tiny.safetensors' } },
    '5': { class_type: 'EmptyLatentImage', inputs: { width: size, height: size, batch_size: 1 } },
    '6': { class_type: 'CLIPTextEncode', inputs: { text: 'a knight', clip: ['4', 1] } },
    '7': { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['4', 1] } },
    '3': {
      class_type: 'KSampler',
      inputs: {
        seed,
        steps,
        cfg: 7,
        sampler_name: 'euler',
        scheduler: 'normal',
        denoise: 1,
        model: ['4', 0],
        positive: ['6', 0],
        negative: ['7', 0],
        latent_image: ['5', 0],
      },
    },
    '8': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
    '9': { class_type: 'SaveImage', inputs: { filename_prefix: prefix, images: ['8', 0] } },
  };
}

/** A picture of the input folder, saved again upside down in its colours: no model is needed. */
export function inverted(image: string, prefix = 'inverted'): Prompt {
  return {
    '1': { class_type: 'LoadImage', inputs: { image } },
    '2': { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
    '3': { class_type: 'SaveImage', inputs: { filename_prefix: prefix, images: ['2', 0] } },
  };
}
