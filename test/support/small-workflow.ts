/** A picture by the tiny checkpoint of `DaemonHome`, as JSON text. */
export function smallWorkflow({
  steps = 2,
  size = 64,
  seed = '7',
  text = 'a knight',
  prefix = 'small',
} = {}): string {
  const node = (class_type: string, inputs: object) => ({ class_type, inputs });
  const nodes = {
    1: node('CheckpointLoaderSimple', { ckpt_name: 'sd15-tiny.safetensors' }),
    2: node('CLIPTextEncode', { clip: ['1', 1], text }),
    3: node('EmptyLatentImage', { width: size, height: size, batch_size: 1 }),
    4: node('KSampler', {
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['2', 0],
      latent_image: ['3', 0],
      seed: 'SEED',
      steps,
      cfg: 5,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
    }),
    5: node('VAEDecode', { samples: ['4', 0], vae: ['1', 2] }),
    6: node('SaveImage', { images: ['5', 0], filename_prefix: prefix }),
  };
  // As text, for it may have more digits than a double holds.
  return JSON.stringify(nodes).replace('"SEED"', seed);
}
