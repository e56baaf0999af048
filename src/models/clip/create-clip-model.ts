/** A checkpoint's text encoders together, as ComfyUI's CLIP object. */
import type { Activation } from '../../compute/graph.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { WeightPatches } from '../lora/patches.js';
import { ModelError } from '../model-error.js';
import type { ProgramCache } from '../program-cache.js';
import type { WeightSource } from '../weight-source.js';
import { patched } from '../weight-views.js';
import type { ClipModel, ClipPart, EncodedText } from './clip-model.js';
import type { EmbeddingFiles, EmbeddingKey } from './embeddings.js';
import { inHalfPrecision } from './half-precision.js';
import { emptySection, toSections, type Section } from './sections.js';
import { encodeSections, type EncodedSections, type TextEncoder } from './text-encoder.js';
import { readTextModelSizes, type TextModelOutputs } from './text-graph.js';
import type { TextWeights } from './text-weights.js';

export interface ClipModelOptions {
  /** The checkpoint's encoders, from `textEncoderWeights`. */
  readonly weights: TextWeights;
  readonly programs: ProgramCache;
  /** Where `embedding:NAME` is looked up. */
  readonly embeddings: EmbeddingFiles;
  /** Told of embeddings that are left out; standard error when there is no one to tell. */
  readonly warn?: (message: string) => void;
}

/** What an encoder is in its family, by ComfyUI's comfy/sd1_clip.py, sdxl_clip.py and text_encoders/sd2_clip.py. */
interface Role {
  readonly part: ClipPart;
  readonly activation: Activation;
  readonly padToken: number;
  readonly embeddingKey: EmbeddingKey;
  /** The layer used when CLIPSetLastLayer names none. */
  readonly layer: number | 'last';
  readonly normalized: boolean;
  readonly pooled: TextModelOutputs['pooled'];
}

const clipL = { part: 'l', activation: 'quick_gelu', padToken: 49407, embeddingKey: 'clip_l' } as const;
const clipG = { part: 'g', activation: 'gelu', padToken: 0, embeddingKey: 'clip_g' } as const;
const clipH = { part: 'h', activation: 'gelu', padToken: 0, embeddingKey: 'clip_h' } as const;
const bigG: Role = { ...clipG, layer: -2, normalized: false, pooled: 'projected' };

/** By the parts that there are, in the order in which their channels are joined. */
const families: Readonly<Record<string, readonly Role[]>> = {
  l: [{ ...clipL, layer: 'last', normalized: true, pooled: 'plain' }],
  h: [{ ...clipH, layer: -2, normalized: true, pooled: 'projected' }],
  'l,g': [{ ...clipL, layer: -2, normalized: false, pooled: 'none' }, bigG],
  g: [bigG],
};

/** The text side of a checkpoint. Without encoders it can be handed about, but encoding throws `ModelError`. */
export function createClipModel(options: ClipModelOptions): ClipModel {
  return new Clip({ warn: warnOnStandardError, ...options }, undefined);
}

function warnOnStandardError(message: string): void {
  process.stderr.write(`warning: ${message}\n`);
}

class Clip implements ClipModel {
  readonly identity: string;
  readonly weights: TextWeights;
  private readonly roles: readonly Role[];

  constructor(
    private readonly options: ClipModelOptions & Required<Pick<ClipModelOptions, 'warn'>>,
    /** CLIPSetLastLayer's; undefined leaves the family's. */
    private readonly stopAtLayer: number | undefined,
  ) {
    this.weights = options.weights;
    const parts = (['l', 'g', 'h'] as const).filter((part) => this.weights[part] !== undefined);
    this.roles = families[parts.join()] ?? [];
    const identities = parts.map((part) => this.weights[part]!.identity);
    this.identity = JSON.stringify(['clip', ...identities, stopAtLayer ?? null]);
  }

  async encode(text: string): Promise<EncodedText> {
    this.requireEncoders();
    return this.join(await this.encodeEach(this.roles.map((role) => this.tokenize(role, text))));
  }

  async encodeParts(texts: Readonly<Partial<Record<ClipPart, string>>>): Promise<EncodedText> {
    this.requireEncoders();
    const wanted = Object.keys(texts).sort().join(', ');
    const present = this.roles.map(({ part }) => part);
    if (wanted !== [...present].sort().join(', ')) {
      throw new ModelError(
        `texts were given for the encoders ${wanted}, but this CLIP has ${present.join(', ')}`,
      );
    }
    const sections = this.roles.map((role) => this.tokenize(role, texts[role.part]!));
    const longest = Math.max(...sections.map((list) => list.length));
    const padded = this.roles.map(({ padToken }, index) => {
      const missing = longest - sections[index]!.length;
      return [...sections[index]!, ...Array.from({ length: missing }, () => emptySection(padToken))];
    });
    return this.join(await this.encodeEach(padded));
  }

  withLayer(stopAtLayer: number): ClipModel {
    return new Clip(this.options, stopAtLayer);
  }

  withPatches(patches: Readonly<Partial<Record<ClipPart, WeightPatches>>>): ClipModel {
    const weights = Object.fromEntries(
      Object.entries(this.weights).map(([part, source]) => {
        const own = patches[part as ClipPart];
        return [part, own === undefined ? source : patched(source, own)];
      }),
    );
    return new Clip({ ...this.options, weights }, this.stopAtLayer);
  }

  private requireEncoders(): void {
    if (this.roles.length > 0) return;
    const parts = Object.keys(this.weights);
    throw new ModelError(
      parts.length === 0
        ? 'the checkpoint holds no text encoder: prompts need a checkpoint that was not stripped of it'
        : `a checkpoint with the text encoders ${parts.join(', ')} is of no known family`,
    );
  }

  private tokenize({ padToken, embeddingKey }: Role, text: string): Section[] {
    const { embeddings, warn } = this.options;
    return toSections(text, { padToken, embeddingKey, embeddings, warn });
  }

  private async encodeEach(sections: readonly (readonly Section[])[]): Promise<EncodedSections[]> {
    const encoded: EncodedSections[] = [];
    for (const [index, role] of this.roles.entries()) {
      encoded.push(await encodeSections(this.encoder(role), sections[index]!));
    }
    return encoded;
  }

  private encoder(role: Role): TextEncoder {
    const weights = inHalfPrecision(this.weights[role.part]!);
    return {
      name: `clip_${role.part}`,
      weights,
      activation: role.activation,
      outputs: this.outputs(role, weights),
      padToken: role.padToken,
      programs: this.options.programs,
      warn: this.options.warn,
    };
  }

  /** ComfyUI SDClipModel.set_clip_options: an encoder of fewer layers than asked for gives its last one, normed. */
  private outputs({ part, layer, normalized, pooled }: Role, weights: WeightSource): TextModelOutputs {
    const wanted = this.stopAtLayer ?? layer;
    const { layers } = readTextModelSizes(weights);
    const index =
      wanted === 'last' || Math.abs(wanted) > layers ? 'last' : wanted < 0 ? layers + wanted : wanted;
    // ComfyUI's SD 2.x loads without a projection, too; nothing of that family uses the pooled output.
    const absent = part === 'h' && pooled === 'projected' && !weights.has('text_projection.weight');
    return { layer: index, normalized, pooled: absent ? 'none' : pooled };
  }

  /** Joins the encoders' channels, cut to the shorter one's tokens (ComfyUI SDXLClipModel.encode_token_weights). */
  private join(encoded: readonly EncodedSections[]): EncodedText {
    const cond = concatChannels(encoded.map(({ hidden }) => hidden));
    const pooled = encoded.at(-1)?.pooled;
    return pooled === undefined ? { cond } : { cond, pooled };
  }
}

/** Joins 1×T×C tensors along their channels, for as many tokens as the shortest has. */
function concatChannels(states: readonly Tensor[]): Tensor {
  const [only, ...others] = states;
  if (only !== undefined && others.length === 0) return only;
  const tokens = Math.min(...states.map(({ shape }) => shape[1]!));
  const widths = states.map(({ shape }) => shape[2]!);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const joined = new Float32Array(tokens * total);
  let offset = 0;
  states.forEach(({ data }, part) => {
    const width = widths[part]!;
    for (let token = 0; token < tokens; token++) {
      joined.set(data.subarray(token * width, (token + 1) * width), token * total + offset);
    }
    offset += width;
  });
  return tensor([1, tokens, total], joined);
}
