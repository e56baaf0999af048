/** Model files as people have them, through whole workflows: ComfyUI's latents (tools/reference/model_files.py). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/compute/tensor.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { halvesToCodes, type CodeType } from '../support/codes.js';
import { fixture, goldenTensors, relativeRms, tinyCheckpoint } from '../support/golden.js';
import { f32, readTensors, writeSafetensors, type TensorBytes } from '../support/models.js';

type Tensors = Readonly<Record<string, TensorBytes>>;

const folder = mkdtempSync(join(tmpdir(), 'latentd-model-files-'));
const models = join(folder, 'models');
const checkpoints = join(models, 'checkpoints');
mkdirSync(checkpoints, { recursive: true });
for (const kind of ['loras', 'embeddings']) symlinkSync(fixture(`model-files/${kind}`), join(models, kind));

const unetPrefix = 'model.diffusion_model.';
const isUnet = (key: string): boolean => key.startsWith(unetPrefix);

function renamed(tensors: Tensors, name: (key: string) => string | undefined): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([key, each]) => {
      const other = name(key);
      return other === undefined ? [] : [[other, each]];
    }),
  );
}

function narrowed(tensors: Tensors, dtype: CodeType, takes: (key: string) => boolean = () => true): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([key, each]) => {
      if (each.dtype !== 'F16' || !takes(key)) return [key, each];
      const halves = new Uint16Array(each.bytes.slice().buffer);
      return [key, { ...each, dtype, bytes: halvesToCodes(dtype, halves) }];
    }),
  );
}

/** A UNet that takes as many channels more: the same weights of the channels in reverse, halved. */
function editing(tensors: Tensors): Tensors {
  const key = `${unetPrefix}input_blocks.0.0.weight`;
  const {
    shape: [rows = 0, channels = 0],
    bytes,
  } = tensors[key]!;
  const halves = new Uint16Array(bytes.slice().buffer);
  const twice = new Uint16Array(2 * halves.length);
  const taps = halves.length / rows / channels;
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (row * channels + channel) * taps;
      const weights = halves.subarray(from, from + taps);
      const to = (place: number) => (row * 2 * channels + place) * taps;
      twice.set(weights, to(channel));
      // One less in the exponent is half of it; the synthetic weights are no subnormal numbers.
      twice.set(
        weights.map((bits) => (bits & 0x7c00 ? bits - 0x400 : bits)),
        to(2 * channels - 1 - channel),
      );
    }
  }
  const entry = {
    dtype: 'F16',
    shape: [rows, 2 * channels, 3, 3],
    bytes: new Uint8Array(twice.buffer),
  } as const;
  return { ...tensors, [key]: entry };
}

function write(name: string, tensors: Tensors): void {
  writeSafetensors(join(checkpoints, `${name}.safetensors`), tensors);
}

for (const family of ['sd15', 'sdxl'] as const) {
  symlinkSync(tinyCheckpoint(family), join(checkpoints, `${family}-tiny.safetensors`));
}
const sd15 = readTensors(tinyCheckpoint('sd15'));
const unet = renamed(sd15, (key) => (isUnet(key) ? key.slice(unetPrefix.length) : undefined));
write('fp8-e4m3', narrowed(sd15, 'F8_E4M3'));
write('fp8-e5m2', narrowed(sd15, 'F8_E5M2'));
write('fp8-unet', narrowed(unet, 'F8_E4M3'));
write(
  'fp8-encoder',
  narrowed(sd15, 'F8_E5M2', (key) => key.startsWith('cond_stage_model.')),
);
write(
  'prefixed-unet',
  renamed(sd15, (key) => (isUnet(key) ? key : undefined)),
);
write(
  'model-prefix',
  renamed(sd15, (key) => (isUnet(key) ? `model.${key.slice(unetPrefix.length)}` : key)),
);
write('pix2pix', editing(sd15));
write('cosxl-edit', {
  ...editing(readTensors(tinyCheckpoint('sdxl'))),
  'edm_vpred.sigma_max': f32([1], [120]),
  'edm_vpred.sigma_min': f32([1], [0.002]),
});

const engine = createEngine({
  folders: { models, input: folder, output: join(folder, 'output'), temp: folder },
  threads: 2,
});
afterAll(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

const expected = goldenTensors('model-files/expected.safetensors');
const cases = JSON.parse(readFileSync(fixture('model-files/cases.json'), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, object>>>
>;

/** Warnings that belong to a case; all others have none. */
const warned: Readonly<Record<string, RegExp>> = {
  'lora dora-outputs': /dora_scale is \[256\], the weight is \[256, 32\]/,
  'lora diffusers': /as PEFT and diffusers do, which ComfyUI ignores/,
  'lora peft': /as PEFT and diffusers do, which ComfyUI ignores/,
  'lora nan-query': /^LATENT holds NaN/,
  'lora infinite-key': /^LATENT holds NaN/,
};

describe('ComfyUI’s latents of', () => {
  it.each(Object.keys(cases))('%s', async (name) => {
    const warnings: string[] = [];
    const result = await engine.run(JSON.stringify(cases[name]), {
      onEvent: (event) => event.type === 'warning' && warnings.push(event.text),
    });
    if (result.status !== 'success') throw new Error(JSON.stringify(result));
    const [saved] = Object.values(result.outputs)[0]!.latents as readonly { readonly path: string }[];
    const written = readTensors(saved!.path)['latent_tensor']!;
    const actual = tensor(written.shape, new Float32Array(Uint8Array.from(written.bytes).buffer));
    const wanted = expected(name);
    if (wanted.data.some(Number.isNaN)) expect(actual.data).toEqual(wanted.data);
    else expect(relativeRms(actual, wanted)).toBeLessThan(2e-5);
    expect(warnings).toEqual(warned[name] === undefined ? [] : [expect.stringMatching(warned[name])]);
  });
});
