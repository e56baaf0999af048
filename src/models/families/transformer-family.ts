/** What families built on transformers have in common. */
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import type { Network } from '../denoiser/denoiser.js';
import type { LoraName } from '../denoiser/diffusion-model.js';
import type { LatentFormat } from '../denoiser/latent-format.js';
import type { ModelSampling } from '../denoiser/model-sampling.js';
import type { WeightSource } from '../weights/weight-source.js';
import { underPrefix } from '../weights/weight-views.js';
import type { CheckpointFile, Family } from './family.js';
import { enclosedText } from './text/split-text.js';

/** A family by what tells it from the others. */
export interface TransformerFamily<Config> extends Pick<Family, 'name' | 'title'> {
  /** Sizes of a denoiser of this family; undefined for another. */
  readonly detect: (denoiser: WeightSource) => Config | undefined;
  readonly kind: (config: Config, denoiser: WeightSource) => TransformerKind;
  /** CLIPLoader's type for its text encoders, which a checkpoint may hold. */
  readonly encoderType: string;
  /** Where a checkpoint keeps the autoencoder. */
  readonly vaePrefix?: string;
}

export interface TransformerKind {
  /** Behind the family's name, for people: `fill`. */
  readonly kind?: string;
  readonly network: Network;
  readonly inputs: readonly DenoiserInput[];
  readonly latentFormat: LatentFormat;
  readonly sampling: ModelSampling;
  readonly loraNames?: () => Iterable<LoraName>;
  readonly keepsLatentClean?: boolean;
  /** It draws from a prompt alone; true when left out. */
  readonly drawsFromText?: boolean;
  /** Pixels a side; 1024 when left out. */
  readonly trainedSide?: number;
}

export function transformerFamily<Config>(family: TransformerFamily<Config>): Family {
  const { name, title, detect, vaePrefix = 'vae.' } = family;
  return {
    name,
    title,
    recognises: ({ denoiser }) => detect(denoiser) !== undefined,
    read({ whole, denoiser }: CheckpointFile) {
      const { kind, loraNames, drawsFromText, trainedSide, ...parts } = family.kind(
        detect(denoiser)!,
        denoiser,
      );
      const vae = underPrefix(whole, vaePrefix);
      return {
        description: kind === undefined ? name : `${name} ${kind}`,
        denoiser: { family: name, weights: denoiser, loraNames: loraNames ?? (() => []), ...parts },
        text: enclosedText(whole, family.encoderType),
        vae: hasAny(vae) ? vae : undefined,
        drawsFromText: drawsFromText ?? true,
        trainedSide: trainedSide ?? 1024,
      };
    },
  };
}

function hasAny(weights: WeightSource): boolean {
  for (const key of weights.keys()) if (key.startsWith('decoder.')) return true;
  return false;
}
