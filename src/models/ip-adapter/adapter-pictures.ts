/** Words that pictures became, as a UNet's blocks attend to them (ComfyUI_IPAdapter_plus, CrossAttentionPatch.py). */
import { randomUUID } from 'node:crypto';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { withChannel } from '../../imaging/latent-channels.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import type {
  AttendedPictures,
  BlockPictures,
  CrossAttentionBlock,
  PictureEvaluation,
} from '../denoiser/attended-pictures.js';
import type { IpAdapter, WordKeys } from './ip-adapter.js';
import { isTurned, weightOf, type LayerWeighting } from './layer-weights.js';

/** What the weight scales. */
export const EMBEDS_SCALINGS = ['V only', 'K+V', 'K+V w/ C penalty', 'K+mean(V) w/ C penalty'] as const;
export type EmbedsScaling = (typeof EMBEDS_SCALINGS)[number];

export interface AdapterPicturesOptions {
  readonly adapter: IpAdapter;
  /** With the prompt and without, N×T×C each. */
  readonly words: Tensor;
  readonly otherWords: Tensor;
  /** With the prompt, of the transformer where composition is. */
  readonly compositionWords?: Tensor | undefined;
  readonly weighting: LayerWeighting;
  readonly scaling: EmbedsScaling;
  /** N×H×W: where the pictures count. */
  readonly mask?: Tensor | undefined;
  /** Noise levels between which they count. */
  readonly sigmas: { readonly highest: number; readonly lowest: number };
  /** Each picture of the latent batch gets its own, instead of all getting all. */
  readonly onePerPicture: boolean;
}

const COMPOSITION = 3;
/** Width of the layers for which the penalty's factor is 1. */
const FULL_WIDTH = 1280;

/** Keys and values of all words. */
interface AllKeys {
  readonly own: WordKeys;
  readonly other: WordKeys;
  readonly composition: WordKeys | undefined;
}

export function adapterPictures(options: AdapterPicturesOptions): AttendedPictures {
  return new AdapterPictures(options);
}

class AdapterPictures implements AttendedPictures {
  readonly identity = `pictures ${randomUUID()}`;
  private keys: Promise<AllKeys> | undefined;
  /** Of the last evaluation: the next one mostly asks for the same. */
  private last: { readonly key: string; readonly blocks: readonly (BlockPictures | undefined)[] } | undefined;

  constructor(private readonly options: AdapterPicturesOptions) {}

  toJSON(): string {
    return this.identity;
  }

  async attend(evaluation: PictureEvaluation): Promise<readonly (BlockPictures | undefined)[]> {
    const { sigma, rows, prompts, height, width, blocks } = evaluation;
    const { highest, lowest } = this.options.sigmas;
    const isActive = sigma <= highest && sigma >= lowest;
    const key = JSON.stringify([isActive, rows, prompts, height, width]);
    if (this.last?.key !== key) {
      const all = await (this.keys ??= this.allKeys());
      this.last = { key, blocks: blocks.map((block) => this.block(block, all, evaluation, isActive)) };
    }
    return this.last.blocks;
  }

  private async allKeys(): Promise<AllKeys> {
    const { adapter, words, otherWords, compositionWords } = this.options;
    return {
      own: await adapter.keys(words),
      other: await adapter.keys(otherWords),
      composition: compositionWords === undefined ? undefined : await adapter.keys(compositionWords),
    };
  }

  private block(
    block: CrossAttentionBlock,
    { own, other, composition }: AllKeys,
    evaluation: PictureEvaluation,
    isActive: boolean,
  ): BlockPictures | undefined {
    const { weighting, mask } = this.options;
    // The pack hangs its change on a block (middle, 1), ComfyUI 0.29 calls it (middle, 0): there pictures never count.
    if (block.side === 'middle') return undefined;
    const weight = weightOf(weighting, block);
    if (weight === undefined || weight === 0 || own.key[block.module] === undefined) return undefined;
    const alternative = block.transformer === COMPOSITION ? composition : undefined;
    const turned = isTurned(weighting, block);
    const part = (which: keyof WordKeys) => ({
      prompt: turned ? undefined : (alternative ?? own)[which][block.module]!,
      others: (turned ? own : other)[which][block.module]!,
    });
    const shape = own.key[block.module]!.shape;
    const [key, value] = [part('key'), part('value')].map((words) =>
      this.rowsOf(words, evaluation, shape),
    ) as [Tensor, Tensor];
    const scale = isActive ? weight : 0;
    this.scale(key, value, scale, shape[1] ?? 1);
    return {
      key,
      value,
      ...(mask === undefined ? {} : { mask: fittedMask(mask, block.tokens, evaluation) }),
    };
  }

  /** The words of each row of the evaluation: all pictures' one after the other, or its own picture's. */
  private rowsOf(
    { prompt, others }: { readonly prompt: Tensor | undefined; readonly others: Tensor },
    { rows, prompts }: PictureEvaluation,
    [, words = 0, width = 0]: readonly number[],
  ): Tensor {
    const each = rows / prompts.length;
    const pictures = this.options.onePerPicture ? 1 : others.shape[0]!;
    const result = tensor([rows, pictures * words, width]);
    const length = words * width;
    for (let row = 0; row < rows; row++) {
      const source = prompts[Math.floor(row / each)] === 1 ? others : prompt;
      if (source === undefined) continue;
      const first = this.options.onePerPicture ? Math.min(row % each, source.shape[0]! - 1) : 0;
      const taken = source.data.subarray(first * length, (first + pictures) * length);
      result.data.set(taken, row * pictures * length);
    }
    return result;
  }

  /** In place. Weighting the values is weighting what is attended to. */
  private scale(key: Tensor, value: Tensor, weight: number, words: number): void {
    const { scaling } = this.options;
    const width = key.shape[2] ?? 1;
    const factor = Math.fround(scaling.endsWith('penalty') ? (weight * width) / FULL_WIDTH : weight);
    if (scaling !== 'V only') key.data.forEach((each, at) => (key.data[at] = each * factor));
    if (!scaling.startsWith('K+mean')) {
      value.data.forEach((each, at) => (value.data[at] = each * factor));
      return;
    }
    for (let start = 0; start < value.data.length; start += words * width) {
      for (let channel = 0; channel < width; channel++) {
        let sum = 0;
        for (let word = 0; word < words; word++) sum += value.data[start + word * width + channel]!;
        const mean = Math.fround(sum / words);
        for (let word = 0; word < words; word++) {
          const at = start + word * width + channel;
          value.data[at] = Math.fround(value.data[at]! - mean) + Math.fround(mean * factor);
        }
      }
    }
  }
}

/** The mask at a block's places, N×tokens×1; sizes that aren't the latent's are cut or filled up by nothing. */
function fittedMask(
  mask: Tensor,
  tokens: number,
  { rows, prompts, height, width }: PictureEvaluation,
): Tensor {
  const whole = Math.trunc(height / Math.sqrt((height * width) / tokens));
  const down = whole + (tokens % whole === 0 ? 0 : 1);
  const across = Math.floor(tokens / down);
  const fitted = upscaleLatent(withChannel(mask), 'bilinear', { height: down, width: across });
  const places = down * across;
  const shift = places < tokens ? Math.floor((tokens - places) / 2) : -Math.floor((places - tokens) / 2);
  const each = rows / prompts.length;
  const result = tensor([rows, tokens, 1]);
  for (let row = 0; row < rows; row++) {
    const from = Math.min(row % each, fitted.shape[0]! - 1) * places;
    for (let place = Math.max(0, shift); place < tokens && place - shift < places; place++) {
      result.data[row * tokens + place] = fitted.data[from + place - shift]!;
    }
  }
  return result;
}
