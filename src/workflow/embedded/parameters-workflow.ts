/**
 * A workflow that does what A1111's parameters say, with ComfyUI's nodes, as ComfyUI's editor makes one of such a picture
 * (ComfyUI_frontend, scripts/pnginfo.ts, importA1111): the checkpoint by its name, LoRAs of the prompt, clip skip, VAE, and
 * the second pass of hires fix.
 */
import { literalObject, pythonJson, type Literal } from '../literal.js';
import { readParameters, type Parameters } from './parameters.js';

/** Names of A1111's samplers that aren't ComfyUI's with other letters. */
const SAMPLERS: Readonly<Record<string, string>> = {
  euler: 'euler',
  'euler a': 'euler_ancestral',
  lms: 'lms',
  heun: 'heun',
  dpm2: 'dpm_2',
  'dpm2 a': 'dpm_2_ancestral',
  'dpm fast': 'dpm_fast',
  'dpm adaptive': 'dpm_adaptive',
  'dpm++ 2s a': 'dpmpp_2s_ancestral',
  'dpm++ 2m': 'dpmpp_2m',
  'dpm++ sde': 'dpmpp_sde',
  'dpm++ 2m sde': 'dpmpp_2m_sde',
  'dpm++ 2m sde heun': 'dpmpp_2m_sde_heun',
  'dpm++ 3m sde': 'dpmpp_3m_sde',
  ddim: 'ddim',
  'ddim cfg++': 'ddim',
  plms: 'ipndm',
  unipc: 'uni_pc',
  lcm: 'lcm',
  restart: 'euler',
};

const SCHEDULERS: Readonly<Record<string, string>> = {
  automatic: 'normal',
  uniform: 'normal',
  karras: 'karras',
  exponential: 'exponential',
  'sgm uniform': 'sgm_uniform',
  simple: 'simple',
  normal: 'normal',
  ddim: 'ddim_uniform',
  beta: 'beta',
  'kl optimal': 'kl_optimal',
};

/** JSON text in the API form; undefined for a text that is none of A1111's. */
export function workflowOfParameters(text: string): string | undefined {
  const parameters = readParameters(text);
  return parameters === undefined ? undefined : new Builder(parameters).build();
}

type Link = readonly [string, bigint];

class Builder {
  private readonly nodes = new Map<string, Literal>();
  private readonly fields: Parameters['fields'];

  constructor(private readonly parameters: Parameters) {
    this.fields = parameters.fields;
  }

  build(): string {
    const checkpoint = this.add('CheckpointLoaderSimple', { ckpt_name: this.checkpoint() });
    let [model, clip]: Link[] = [
      [checkpoint, 0n],
      [checkpoint, 1n],
    ];
    const vae = this.vae(checkpoint);
    const { text, loras } = withoutLoras(this.parameters.prompt);
    for (const { name, model: strength, clip: clipStrength } of loras) {
      const lora = this.add('LoraLoader', {
        lora_name: withEnding(name),
        strength_model: strength,
        strength_clip: clipStrength,
        model: model!,
        clip: clip!,
      });
      [model, clip] = [
        [lora, 0n],
        [lora, 1n],
      ];
    }
    const skip = this.number('clip skip', 1);
    if (skip > 1) {
      const last = this.add('CLIPSetLastLayer', { stop_at_clip_layer: BigInt(-skip), clip: clip! });
      clip = [last, 0n];
    }
    const positive: Link = [this.add('CLIPTextEncode', { text, clip: clip! }), 0n];
    const negative: Link = [
      this.add('CLIPTextEncode', { text: withoutLoras(this.parameters.negative).text, clip: clip! }),
      0n,
    ];
    const [width, height] = this.size();
    const latent = this.add('EmptyLatentImage', { width, height, batch_size: 1n });
    const around = { model: model!, positive, negative };
    let samples: Link = [this.sampler({ ...around, latent_image: [latent, 0n] }, 'steps', 1), 0n];
    samples = this.secondPass(samples, around, vae, width, height) ?? samples;
    const image: Link = [this.add('VAEDecode', { samples, vae }), 0n];
    this.add('SaveImage', { filename_prefix: 'ComfyUI', images: image });
    return pythonJson(this.nodes);
  }

  private add(type: string, inputs: Readonly<Record<string, Literal>>): string {
    const id = String(this.nodes.size + 1);
    this.nodes.set(id, literalObject({ class_type: type, inputs: literalObject(inputs) }));
    return id;
  }

  private checkpoint(): string {
    return withEnding(this.fields.get('model') ?? 'model');
  }

  private vae(checkpoint: string): Link {
    const name = this.fields.get('vae');
    if (name === undefined || /^(none|automatic)$/i.test(name)) return [checkpoint, 2n];
    return [this.add('VAELoader', { vae_name: /\.\w+$/.test(name) ? name : withEnding(name) }), 0n];
  }

  private sampler(links: Readonly<Record<string, Literal>>, steps: string, denoise: number): string {
    const { sampler, scheduler } = this.samplerNames();
    return this.add('KSampler', {
      seed: this.seed(),
      steps: BigInt(this.number(steps, this.number('steps', 20)) || this.number('steps', 20)),
      cfg: this.number('cfg scale', 7),
      sampler_name: sampler,
      scheduler,
      denoise,
      ...links,
    });
  }

  /** Hires fix: the latent enlarged, or the picture by a model, and sampled again. */
  private secondPass(
    samples: Link,
    around: Readonly<Record<string, Literal>>,
    vae: Link,
    width: bigint,
    height: bigint,
  ): Link | undefined {
    const upscaler = this.fields.get('hires upscaler');
    const by = this.number('hires upscale', 0);
    const [, wide, high] = /^(\d+)x(\d+)$/.exec(this.fields.get('hires resize') ?? '') ?? [];
    if (upscaler === undefined && by === 0 && wide === undefined) return undefined;
    const side = (given: string | undefined, first: bigint) =>
      given === undefined || given === '0'
        ? BigInt(Math.round((Number(first) * (by || 2)) / 8) * 8)
        : BigInt(given);
    const size = { width: side(wide, width), height: side(high, height) };
    const name = upscaler ?? 'Latent';
    const latent: Link = /^latent/i.test(name)
      ? [
          this.add('LatentUpscale', {
            upscale_method: /nearest/i.test(name)
              ? 'nearest-exact'
              : /bicubic/i.test(name)
                ? 'bicubic'
                : 'bilinear',
            ...size,
            crop: 'disabled',
            samples,
          }),
          0n,
        ]
      : this.throughPicture(samples, vae, name, size);
    const denoise = this.number('denoising strength', 0.7);
    return [this.sampler({ ...around, latent_image: latent }, 'hires steps', denoise), 0n];
  }

  private throughPicture(
    samples: Link,
    vae: Link,
    upscaler: string,
    size: Readonly<Record<'width' | 'height', bigint>>,
  ): Link {
    let image: Link = [this.add('VAEDecode', { samples, vae }), 0n];
    if (!/^(none|lanczos|nearest)$/i.test(upscaler)) {
      const loader = this.add('UpscaleModelLoader', {
        model_name: /\.\w+$/.test(upscaler) ? upscaler : `${upscaler}.pth`,
      });
      image = [this.add('ImageUpscaleWithModel', { upscale_model: [loader, 0n], image }), 0n];
    }
    const scaled = this.add('ImageScale', { upscale_method: 'lanczos', ...size, crop: 'disabled', image });
    return [this.add('VAEEncode', { pixels: [scaled, 0n], vae }), 0n];
  }

  private samplerNames(): { readonly sampler: string; readonly scheduler: string } {
    const given = (this.fields.get('sampler') ?? 'Euler').toLowerCase();
    const type = this.fields.get('schedule type')?.toLowerCase();
    // Before A1111 1.9, the schedule stood after the sampler.
    const [, name = given, after] = /^(.*?)(?: (karras|exponential))?$/.exec(given) ?? [];
    const sampler = SAMPLERS[name] ?? name.replaceAll(' ', '_');
    const wanted = type ?? after ?? (name === 'ddim' ? 'ddim' : 'automatic');
    return { sampler, scheduler: SCHEDULERS[wanted] ?? wanted.replaceAll(' ', '_') };
  }

  private size(): readonly [bigint, bigint] {
    const [, width = '512', height = '512'] =
      /^(\d{1,5})x(\d{1,5})$/.exec(this.fields.get('size') ?? '') ?? [];
    return [BigInt(width), BigInt(height)];
  }

  private seed(): bigint {
    const seed = this.fields.get('seed') ?? '0';
    return /^\d{1,20}$/.test(seed) ? BigInt.asUintN(64, BigInt(seed)) : 0n;
  }

  private number(name: string, otherwise: number): number {
    const number = Number(this.fields.get(name) ?? otherwise);
    return Number.isFinite(number) ? number : otherwise;
  }
}

interface Lora {
  readonly name: string;
  readonly model: number;
  readonly clip: number;
}

/** `<lora:name:0.8>` and `<lora:name:0.8:0.5>` of a prompt, and the prompt without them. */
function withoutLoras(prompt: string): { readonly text: string; readonly loras: readonly Lora[] } {
  const loras: Lora[] = [];
  const text = prompt.replaceAll(
    /<(?:lora|lyco):([^:<>]+)(?::([^:<>]*))?(?::([^:<>]*))?[^<>]*>/g,
    (_, name: string, model?: string, clip?: string) => {
      const strength = numberOr(model, 1);
      loras.push({ name, model: strength, clip: numberOr(clip, strength) });
      return '';
    },
  );
  return { text: text.trim(), loras };
}

function numberOr(text: string | undefined, otherwise: number): number {
  const number = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(number) ? number : otherwise;
}

/** A1111 names models without the ending of their files. */
function withEnding(name: string): string {
  return /\.(safetensors|ckpt|pt|pth|bin)$/i.test(name) ? name : `${name}.safetensors`;
}
