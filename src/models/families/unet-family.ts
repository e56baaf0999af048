/** What families built on a UNet of Stable Diffusion's architecture have in common. */
import { attendedText } from '../denoiser-inputs/text.js';
import { maskedPicture } from '../denoiser-inputs/inpainting.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import type { LatentFormat } from '../denoiser/latent-format.js';
import type { ModelSampling } from '../denoiser/model-sampling.js';
import type { TextEncoding } from '../text/text-encoding.js';
import type { UnetConfig } from '../unet/config.js';
import { detectUnet } from '../unet/detect.js';
import { unetLoraNames } from '../unet/diffusers-layers.js';
import { unetNetwork } from '../unet/unet-network.js';
import { visionLayoutUnder } from '../vision/layouts.js';
import { checkpointPrefix } from '../vae/config.js';
import type { WeightSource } from '../weights/weight-source.js';
import { underPrefix } from '../weights/weight-views.js';
import type { CheckpointFile, Family, FamilyText } from './family.js';

/** A family by what tells it from the others. */
export interface UnetFamily extends Pick<Family, 'name' | 'title'> {
  /** Whether a UNet that takes a latent, or a latent and a masked picture, is of this family. */
  readonly matches: (config: UnetConfig) => boolean;
  /** Latents, noise levels and prediction, some of which a file's marks tell. */
  readonly kind: (file: CheckpointFile, config: UnetConfig) => UnetKind;
  /** What the UNet takes beside text and masked picture. */
  readonly inputs?: (config: UnetConfig) => readonly DenoiserInput[];
  /** What an InstructPix2Pix model of the family takes beside the latent, which makes its UNet's channels twice as many. */
  readonly editedPicture?: (file: CheckpointFile) => DenoiserInput;
  readonly text: TextEncoding;
  /** Where its text encoders lie in a checkpoint; undefined where they don't. */
  readonly textWeights: (checkpoint: WeightSource) => Readonly<Record<string, WeightSource | undefined>>;
  /** Where an image encoder lies in a checkpoint, of families that are shown pictures. */
  readonly imageEncoder?: string;
  /** Whether it draws from a prompt alone; true when left out. */
  readonly drawsFromText?: boolean;
}

export interface UnetKind {
  readonly latentFormat: LatentFormat;
  readonly sampling: ModelSampling;
  readonly trainedSide: number;
}

const latentChannels = 4;
/** The latent, a mask, and the masked picture's latent. */
const inpaintingChannels = 2 * latentChannels + 1;
/** The latent and that of the picture to be edited. */
const editingChannels = 2 * latentChannels;

/** A family whose checkpoints have text encoders as a rule. */
export interface CompleteFamily extends Family {
  /** Its text encoders, and what a checkpoint has of their weights. */
  text(checkpoint: WeightSource): FamilyText;
}

export function unetFamily(family: UnetFamily): CompleteFamily {
  const { name, title } = family;
  const text = (checkpoint: WeightSource): FamilyText => ({
    encoding: family.text,
    weights: present(family.textWeights(checkpoint)),
  });
  return {
    name,
    title,
    text,
    recognises({ denoiser }) {
      const config = knownUnet(denoiser);
      const edits = family.editedPicture !== undefined;
      return config !== undefined && unetRelative(denoiser, edits) === undefined && family.matches(config);
    },
    read(file) {
      const config = knownUnet(file.denoiser)!;
      const { latentFormat, sampling, trainedSide } = family.kind(file, config);
      const isInpainting = config.inChannels === inpaintingChannels;
      const edits = config.inChannels === editingChannels ? family.editedPicture?.(file) : undefined;
      const kinds = [...(isInpainting ? ['inpainting'] : []), ...(edits === undefined ? [] : ['edit'])];
      const prediction = sampling.prediction === 'epsilon' ? [] : [sampling.prediction];
      const vae = underPrefix(file.whole, checkpointPrefix);
      const imageTower =
        family.imageEncoder === undefined ? undefined : visionLayoutUnder(file.whole, family.imageEncoder);
      return {
        description: [name, ...kinds, ...prediction].join(' '),
        denoiser: {
          family: name,
          network: unetNetwork(name, config),
          weights: file.denoiser,
          inputs: [
            attendedText,
            ...(family.inputs?.(config) ?? []),
            ...(isInpainting ? [maskedPicture] : []),
            ...(edits === undefined ? [] : [edits]),
          ],
          latentFormat,
          sampling,
          loraNames: () => unetLoraNames(config),
        },
        text: text(file.whole),
        vae: hasKey(vae, 'decoder.') ? vae : undefined,
        ...(imageTower === undefined ? {} : { imageEncoder: imageTower }),
        drawsFromText: !isInpainting && edits === undefined && family.drawsFromText !== false,
        trainedSide,
      };
    },
  };
}

/**
 * What a UNet of this architecture that belongs to no family here looks like; undefined for one that may. `edits`: of
 * InstructPix2Pix models, too.
 */
export function unetRelative(denoiser: WeightSource, edits = false): string | undefined {
  const config = knownUnet(denoiser);
  if (config === undefined) return undefined;
  const ends = (...endings: readonly string[]) =>
    [...denoiser.keys()].some((key) => endings.some((ending) => key.endsWith(ending)));
  if (ends('.time_stack.0.attn1.to_q.weight', '.time_mix_blocks.0.attn1.to_q.weight')) {
    return 'a video model (Stable Video Diffusion or a relative)';
  }
  const channels = [latentChannels, inpaintingChannels, ...(edits ? [editingChannels] : [])];
  if (!channels.includes(config.inChannels)) {
    return `a model whose UNet takes ${config.inChannels} channels (a depth or upscaling model); 4 are text to image, 9 inpainting, 8 InstructPix2Pix of SD 1.x or SDXL`;
  }
  return undefined;
}

/** Every family asks, so the answer is kept. */
const known = new WeakMap<WeightSource, UnetConfig | undefined>();

function knownUnet(denoiser: WeightSource): UnetConfig | undefined {
  if (!known.has(denoiser)) known.set(denoiser, detectUnet(denoiser));
  return known.get(denoiser);
}

function present(weights: Readonly<Record<string, WeightSource | undefined>>): Record<string, WeightSource> {
  return Object.fromEntries(
    Object.entries(weights).flatMap(([name, source]) => (source === undefined ? [] : [[name, source]])),
  );
}

function hasKey(weights: WeightSource, prefix: string): boolean {
  for (const key of weights.keys()) if (key.startsWith(prefix)) return true;
  return false;
}
