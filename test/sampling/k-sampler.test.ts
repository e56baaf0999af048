import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/compute/tensor.js';
import type { Area, Conditioning, ConditioningEntry } from '../../src/models/denoiser/conditioning.js';
import type { DiffusionModel } from '../../src/models/denoiser/diffusion-model.js';
import {
  continuousEdmSampling,
  discreteSampling,
  type ModelSampling,
} from '../../src/models/denoiser/model-sampling.js';
import { sample, type KSamplerOptions } from '../../src/sampling/k-sampler.js';
import { relativeRms } from '../support/golden.js';
import { referenceCases } from '../support/reference-cases.js';
import { tinyModels, type TinyFamily } from '../support/tiny-models.js';

/** As tools/reference/sampling.py writes them. */
interface EntryCase {
  readonly text: string;
  readonly area?: Area;
  readonly mask?: string;
  readonly concatMask?: string;
  readonly concatLatentImage?: string;
}

interface SamplingCase {
  readonly family: TinyFamily;
  readonly name: string;
  readonly expected: string;
  readonly positive: readonly EntryCase[];
  readonly negative: readonly EntryCase[];
  readonly latent: string;
  readonly noiseMask: string | null;
  readonly batchIndex: readonly number[] | null;
  readonly sampling: readonly [kind: string, options: Readonly<Record<string, number | boolean>>] | null;
  readonly seed: number;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler: string;
  readonly scheduler: string;
  readonly denoise: number;
  readonly addNoise: boolean;
  readonly start: number | null;
  readonly end: number | null;
  readonly forceFullDenoise: boolean;
}

const texts: Readonly<Record<string, string>> = {
  castle: 'a castle on a hill, pixel art',
  forest: '(dark forest:1.3), mist',
  blurry: 'blurry, low quality',
  long: Array(14).fill('a winding river between old stone bridges').join(', '),
  longer: Array(40).fill('a winding river between old stone bridges').join(', '),
};

const { cases, tensor } = referenceCases<SamplingCase>('sampling/cases.safetensors');

describe.each(['sd15', 'sdxl', 'sd15-inpaint'] as const)('sampling %s', (family) => {
  const { model, clip } = tinyModels(family);

  async function entry({
    text,
    mask,
    concatMask,
    concatLatentImage,
    ...rest
  }: EntryCase): Promise<ConditioningEntry> {
    const named = (kind: string, name: string | undefined) =>
      name === undefined ? undefined : tensor(`${kind}.${name}`);
    const extra = {
      mask: named('mask', mask),
      concatMask: named('mask', concatMask),
      concatLatentImage: named('latent', concatLatentImage),
    };
    const given = Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== undefined));
    return { ...(await clip.encode(texts[text]!)), ...rest, ...given };
  }

  const conditioning = (entries: readonly EntryCase[]): Promise<Conditioning> =>
    Promise.all(entries.map(entry));

  const own = cases.filter((item) => item.family === family);
  it.each(own.map((item) => [item.name, item] as const))('agrees with ComfyUI: %s', async (_, item) => {
    const optional: Partial<KSamplerOptions> = {
      ...(item.noiseMask === null ? {} : { noiseMask: tensor(`mask.${item.noiseMask}`) }),
      ...(item.batchIndex === null ? {} : { batchIndex: item.batchIndex }),
      ...(item.start === null ? {} : { startStep: item.start }),
      ...(item.end === null ? {} : { endStep: item.end }),
    };
    const { samples }: { samples: Tensor } = await sample({
      model: withSampling(model, item.sampling),
      positive: await conditioning(item.positive),
      negative: await conditioning(item.negative),
      cfg: item.cfg,
      samplerName: item.sampler,
      scheduler: item.scheduler,
      steps: item.steps,
      denoise: item.denoise,
      seed: BigInt(item.seed),
      latent: tensor(item.latent),
      withoutNoise: !item.addNoise,
      forceFullDenoise: item.forceFullDenoise,
      ...optional,
    });
    expect(relativeRms(samples, tensor(item.expected))).toBeLessThan(2e-5);
  });
});

function withSampling(model: DiffusionModel, choice: SamplingCase['sampling']): DiffusionModel {
  return choice === null ? model : model.withSampling(samplingNamed(...choice));
}

function samplingNamed(kind: string, options: Readonly<Record<string, number | boolean>>): ModelSampling {
  if (options['zsnr'] !== undefined) {
    const prediction = kind === 'x0' ? 'x0' : 'v_prediction';
    return discreteSampling(prediction, { zeroTerminalSnr: options['zsnr'] === true });
  }
  const range = { sigmaMin: Number(options['sigma_min']), sigmaMax: Number(options['sigma_max']) };
  return kind === 'edm'
    ? continuousEdmSampling('edm', { ...range, sigmaData: 0.5 })
    : continuousEdmSampling('v_prediction', range);
}
