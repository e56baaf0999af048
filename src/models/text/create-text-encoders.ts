import type { Tensor } from '../../compute/tensor.js';
import { safeLine } from '../../safe-text.js';
import type { WeightPatches } from '../weights/weight-patches.js';
import { ModelError } from '../model-error.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import { patched } from '../weights/patched.js';
import type { EmbeddingFiles } from './embeddings.js';
import type { ByEncoder, EncodedText, EncoderLoraName, TextEncoders } from './text-encoders.js';
import type {
  EncodedSections,
  PromptLengths,
  PromptRequest,
  Section,
  TextEncoder,
  TextEncoding,
} from './text-encoding.js';
import { normalised, unweighted, weighedFromZero } from './weighing.js';
import type { Vocabularies } from './vocabularies/vocabularies.js';

export interface TextEncodersOptions {
  /** The family's. */
  readonly encoding: TextEncoding;
  /** Those encoders that there are. */
  readonly weights: ByEncoder<WeightSource>;
  readonly programs: ProgramCache;
  /** Where `embedding:NAME` is looked up. */
  readonly embeddings: EmbeddingFiles;
  readonly vocabularies: Vocabularies;
  /** Told of embeddings that are left out; standard error when there is no one to tell. */
  readonly warn?: (message: string) => void;
}

/** A family's text encoders. Where they lack weights they can be handed about, but encoding throws `ModelError`. */
export function createTextEncoders(options: TextEncodersOptions): TextEncoders {
  return new FamilyTextEncoders({ warn: warnOnStandardError, ...options }, {});
}

function warnOnStandardError(message: string): void {
  process.stderr.write(`warning: ${safeLine(message)}\n`);
}

/** What nodes change. */
interface Choices {
  /** CLIPSetLastLayer's; left out, the family's. */
  readonly stopAtLayer?: number;
  readonly lengths?: PromptLengths;
}

class FamilyTextEncoders implements TextEncoders {
  readonly identity: string;
  readonly weights: ByEncoder<WeightSource>;

  constructor(
    private readonly options: TextEncodersOptions & Required<Pick<TextEncodersOptions, 'warn'>>,
    private readonly choices: Choices,
  ) {
    this.weights = options.weights;
    const identities = this.encoders.map(({ name }) => this.weights[name]?.identity ?? null);
    const { stopAtLayer = null, lengths } = choices;
    this.identity = JSON.stringify(['clip', ...identities, stopAtLayer, ...(lengths ? [lengths] : [])]);
  }

  async encode(text: string, request: PromptRequest = {}): Promise<EncodedText> {
    this.requireWeights();
    const sections = this.encoders.map((encoder) => this.tokenize(encoder, text, request));
    const { weighing } = request;
    if (weighing === undefined) return this.encodeSections(sections);
    const weights = sections.map((own) => normalised(own, weighing.normalization));
    if (weighing.interpretation === 'comfy') return this.encodeSections(weights);
    return this.encodeSections(sections.map(unweighted), (hidden, index) =>
      weighedFromZero(hidden, weights[index]!),
    );
  }

  async encodeParts(
    texts: ByEncoder<string>,
    { leaveEmpty = false }: { readonly leaveEmpty?: boolean } = {},
  ): Promise<EncodedText> {
    this.requireWeights();
    const wanted = Object.keys(texts).sort().join(', ');
    const { absent = [] } = this.options.encoding;
    const known = [...this.encoders.map(({ name }) => name), ...absent];
    if (wanted !== known.sort().join(', ')) {
      throw new ModelError(
        `texts were given for the encoders ${wanted}, but this CLIP has ${known.join(', ')}`,
      );
    }
    const sections = this.encoders.map((encoder) => {
      const text = texts[encoder.name]!;
      return leaveEmpty && text === '' ? [] : this.tokenize(encoder, text, {});
    });
    const longest = Math.max(
      ...this.encoders.map(({ emptySection }, index) => (emptySection ? sections[index]!.length : 0)),
    );
    return this.encodeSections(
      this.encoders.map(({ emptySection }, index) => {
        const own = sections[index]!;
        if (emptySection === undefined) return own;
        return [...own, ...Array.from({ length: longest - own.length }, emptySection)];
      }),
    );
  }

  *loraNames(): Generator<EncoderLoraName> {
    for (const encoder of this.encoders) {
      const weights = this.weights[encoder.name];
      if (weights === undefined) continue;
      for (const [name, key] of encoder.loraNames(weights)) yield { name, encoder: encoder.name, key };
    }
  }

  withLayer(stopAtLayer: number): TextEncoders {
    return new FamilyTextEncoders(this.options, { ...this.choices, stopAtLayer });
  }

  withLengths(lengths: PromptLengths): TextEncoders {
    return new FamilyTextEncoders(this.options, { ...this.choices, lengths });
  }

  withPatches(patches: ByEncoder<WeightPatches>): TextEncoders {
    const weights = Object.fromEntries(
      Object.entries(this.weights).map(([name, source]) => {
        const own = patches[name];
        return [name, own === undefined ? source : patched(source, own)];
      }),
    );
    return new FamilyTextEncoders({ ...this.options, weights }, this.choices);
  }

  private get encoders(): readonly TextEncoder[] {
    return this.options.encoding.encoders;
  }

  private requireWeights(): void {
    const missing = this.encoders.filter(({ name }) => this.weights[name] === undefined);
    if (missing.length === 0) return;
    throw new ModelError(
      missing.length === this.encoders.length
        ? 'the checkpoint holds no text encoder: load it with CLIPLoader or DualCLIPLoader, or take a checkpoint that was not stripped of it'
        : `the checkpoint lacks the text encoder ${missing.map(({ name }) => name).join(', ')} of its family: prompts need a checkpoint that has all`,
    );
  }

  private tokenize(encoder: TextEncoder, text: string, request: PromptRequest): readonly Section[] {
    const { embeddings, vocabularies, warn } = this.options;
    const weights = this.weights[encoder.name]!;
    const { lengths } = this.choices;
    return encoder.tokenize(text, { ...request, embeddings, vocabularies, warn, weights, lengths });
  }

  /** One encoder after the other, to bound the memory that they take. */
  private async encodeSections(
    sections: readonly (readonly Section[])[],
    change: (hidden: Tensor, encoder: number) => Tensor = (hidden) => hidden,
  ): Promise<EncodedText> {
    const { encoding, programs, warn } = this.options;
    const encoded: (EncodedSections | undefined)[] = [];
    for (const [index, encoder] of this.encoders.entries()) {
      const weights = this.weights[encoder.name]!;
      const options = { weights, stopAtLayer: this.choices.stopAtLayer, programs, warn };
      const own = await encoder.encode(sections[index]!, options);
      encoded.push(own && { ...own, hidden: change(own.hidden, index) });
    }
    return encoding.join(encoded);
  }
}
