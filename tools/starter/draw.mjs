/**
 * Draws a list of prompts through latentd: `node tools/starter/draw.mjs JOBS.json MODELS OUTPUT`, where JOBS.json holds
 * `[{"prompt", "seed", "negative"?, "steps"?, "cfg"?, "lora"?}, …]`. Writes OUTPUT/NNNN_00001_.png for each, in order.
 */
import { readFile } from 'node:fs/promises';
import { createEngine } from '../../dist/index.js';

const [jobsFile, models, output] = process.argv.slice(2);
const jobs = JSON.parse(await readFile(jobsFile, 'utf8'));
const engine = createEngine({ folders: { models, input: output, output } });

function workflow({ prompt, seed, negative = '', steps = 20, cfg = 4, lora }, index) {
  const source = lora === undefined ? '1' : '8';
  return {
    1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'starter-sprites.safetensors' } },
    ...(lora === undefined
      ? {}
      : {
          8: {
            class_type: 'LoraLoader',
            inputs: { lora_name: lora, strength_model: 1, strength_clip: 1, model: ['1', 0], clip: ['1', 1] },
          },
        }),
    2: { class_type: 'CLIPTextEncode', inputs: { text: prompt, clip: [source, 1] } },
    3: { class_type: 'CLIPTextEncode', inputs: { text: negative, clip: [source, 1] } },
    4: { class_type: 'EmptyLatentImage', inputs: { width: 128, height: 128, batch_size: 1 } },
    5: {
      class_type: 'KSampler',
      inputs: {
        seed,
        steps,
        cfg,
        sampler_name: 'dpmpp_2m',
        scheduler: 'karras',
        denoise: 1,
        model: [source, 0],
        positive: ['2', 0],
        negative: ['3', 0],
        latent_image: ['4', 0],
      },
    },
    6: { class_type: 'VAEDecode', inputs: { samples: ['5', 0], vae: ['1', 2] } },
    7: {
      class_type: 'SaveImage',
      inputs: { images: ['6', 0], filename_prefix: String(index).padStart(4, '0') },
    },
  };
}

for (const [index, job] of jobs.entries()) {
  const result = await engine.run(JSON.stringify(workflow(job, index)));
  if (result.status !== 'success') throw new Error(`${job.prompt}: ${JSON.stringify(result)}`);
}
await engine.dispose();
