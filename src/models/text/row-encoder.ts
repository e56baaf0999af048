/** Text encoders whose prompt is one row of tokens, of any length: T5 and language models, as families use them. */
import { elementCount, tensor, type Tensor } from '../../compute/tensor.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { EmbeddingUse } from './embeddings.js';
import { emptyRow, paddedRow, rowMask, type RowLayout, type SpecialTokens } from './padded-row.js';
import { promptGroups } from './prompt-groups.js';
import { inStoredPrecision, type PrecisionRule } from './stored-precision.js';
import type {
  EncodedSections,
  EncodeOptions,
  PromptPicture,
  Section,
  TextEncoder,
  Token,
  TokenizeOptions,
} from './text-encoding.js';
import type { LayerChoice, TextNetwork } from './text-network.js';
import type { Vocabulary } from './vocabularies/vocabulary.js';

/** A picture as an encoder's own tower sees it. */
export interface SeenPicture {
  /** R×C, in the place of the picture's token. */
  readonly rows: Tensor;
  /** Of these, down and across. */
  readonly down: number;
  readonly across: number;
}

export interface PictureUse {
  /** The token that stands for a picture. */
  readonly token: number;
  readonly look: (picture: PromptPicture, options: EncodeOptions) => Promise<SeenPicture>;
}

/** A tower and what a family takes of it. */
export interface RowEncoder {
  /** As nodes' inputs and LoRAs name it: `t5xxl`. */
  readonly name: string;
  readonly network: TextNetwork;
  readonly precision: PrecisionRule;
  readonly embedding: EmbeddingUse;
  readonly vocabulary: (options: TokenizeOptions) => Vocabulary;
  /** What a prompt becomes before it is cut into tokens. */
  readonly template?: (text: string, options: TokenizeOptions) => string;
  /** Whether parentheses weigh. */
  readonly weighted: boolean;
  readonly layout: RowLayout;
  /** Whether T5TokenizerOptions counts for it. */
  readonly lengthsApply?: true;
  /** As the network counts them. */
  readonly special: SpecialTokens;
  /** What weights are measured against begins with neither start nor end (PixArt). */
  readonly emptyIsPadding?: true;
  /** Whether padding is hidden from the other tokens. */
  readonly masked: boolean;
  /** Whether the mask goes on to the denoiser: never, always, or only where there is padding. */
  readonly givesMask?: 'always' | 'where padded';
  /** Whether padding becomes zeros. */
  readonly zeroes?: true;
  /** Taken where CLIPSetLastLayer names none. */
  readonly layers: 'last' | number | { readonly inputs: readonly number[] } | 'all';
  /** Whether a single layer is normed. */
  readonly normalized: boolean;
  readonly pictures?: PictureUse;
  /** How many of the first rows are a template's, and left out. */
  readonly cut?: (tokens: readonly Token[]) => number;
  readonly loraNames: (weights: WeightSource) => Iterable<readonly [name: string, key: string]>;
}

export function rowEncoder(use: RowEncoder): TextEncoder {
  return {
    name: use.name,
    tokenize: (text, options) => [tokenizeRow(use, text, options)],
    encode: (sections, options) => encodeRow(use, sections[0] ?? [], options),
    loraNames: (weights) => use.loraNames(weights),
  };
}

function tokenizeRow(use: RowEncoder, text: string, options: TokenizeOptions): Section {
  const vocabulary = use.vocabulary(options);
  const { embedding, weighted } = use;
  const whole = use.template?.(text, options) ?? text;
  const tokenize = (part: string) => vocabulary.encode(part);
  const groups = promptGroups(whole, { ...options, embedding, weighted, tokenize });
  const row = paddedRow(groups, use.layout, use.lengthsApply === true ? options.lengths : undefined);
  const { pictures = [] } = options;
  if (use.pictures === undefined || pictures.length === 0) return row;
  let next = 0;
  return row.map((each) => {
    const picture = each.token === use.pictures!.token ? pictures[next] : undefined;
    if (picture === undefined) return each;
    next += 1;
    return { ...each, token: { picture } };
  });
}

/** A row's embeddings, and what each token became. */
interface EmbeddedRow {
  readonly embeddings: Tensor;
  readonly mask: readonly number[];
  /** Where pictures are. */
  readonly pictures: readonly (SeenPicture & { readonly at: number })[];
}

async function encodeRow(use: RowEncoder, row: Section, given: EncodeOptions): Promise<EncodedSections> {
  const options = { ...given, weights: inStoredPrecision(given.weights, use.precision) };
  const hasWords = row.length > 0;
  const states = hasWords ? await statesOf(use, row, options) : undefined;
  if (states !== undefined && row.every(({ weight }) => weight === 1)) return finish(use, row, states);
  const special = use.emptyIsPadding === true ? { pad: use.special.pad } : use.special;
  const empty = await statesOf(use, emptyRow(special, row.length), options);
  if (states === undefined) return finish(use, row, empty);
  weigh(states.hidden, empty.hidden, row);
  return finish(use, row, states);
}

interface States {
  readonly hidden: Tensor;
  readonly mask: readonly number[];
}

/** state ← (state − empty)·weight + empty, rounded as torch does after each step; a picture's rows are never weighed. */
function weigh({ shape, data }: Tensor, empty: Tensor, row: Section): void {
  // Where a family takes all layers, weights count for layers in the place of tokens, as in ComfyUI.
  const [, count = 0, ...rest] = shape;
  const size = elementCount(rest);
  row.slice(0, count).forEach(({ weight }, place) => {
    if (weight === 1) return;
    const factor = Math.fround(weight);
    for (let index = place * size; index < (place + 1) * size; index++) {
      const base = empty.data[index]!;
      data[index] = Math.fround(Math.fround(data[index]! - base) * factor) + base;
    }
  });
}

function finish(use: RowEncoder, row: Section, { hidden, mask }: States): EncodedSections {
  const tokens = mask.length;
  const skipped = use.cut?.(row.map(({ token }) => token)) ?? 0;
  const kept = mask.slice(skipped);
  const padded = kept.includes(0);
  const gives = use.givesMask === 'always' || (use.givesMask === 'where padded' && padded);
  const width = hidden.shape.at(-1)!;
  return {
    hidden: skipped === 0 ? hidden : tensor([1, tokens - skipped, width], hidden.data.slice(skipped * width)),
    ...(gives ? { mask: tensor([1, kept.length], Float32Array.from(kept)) } : {}),
  };
}

async function statesOf(use: RowEncoder, row: Section, options: EncodeOptions): Promise<States> {
  const { embeddings, mask, pictures } = await embedRow(use, row, options);
  const layers = layersOf(use, options);
  const states = await use.network.run({
    name: use.name,
    weights: options.weights,
    programs: options.programs,
    layers,
    embeddings,
    mask: use.masked && mask.includes(0) ? mask : undefined,
    positions: pictures.length === 0 ? undefined : picturePositions(mask, pictures),
  });
  const hidden = joined(states, use.layers === 'all');
  const width = hidden.shape.at(-1)!;
  if (use.zeroes === true) {
    mask.forEach((seen, token) => {
      if (seen === 0) hidden.data.fill(0, token * width, (token + 1) * width);
    });
  }
  return { hidden, mask };
}

/** ComfyUI SDClipModel.set_clip_options: of several layers, CLIPSetLastLayer chooses none. */
function layersOf(
  { layers, normalized, network }: RowEncoder,
  { weights, stopAtLayer }: EncodeOptions,
): LayerChoice {
  if (typeof layers === 'object') return { kind: 'inputs', layers: layers.inputs };
  const depth = network.depth(weights);
  if (layers === 'all') {
    return { kind: 'inputs', layers: Array.from({ length: depth + 1 }, (_, layer) => layer) };
  }
  const wanted = stopAtLayer ?? layers;
  if (wanted === 'last' || Math.abs(wanted) > depth) return { kind: 'last' };
  return { kind: 'output', layer: wanted < 0 ? depth + wanted : wanted, normalized };
}

/** Several states side by side, or one above the other. */
function joined(states: readonly Tensor[], stacked: boolean): Tensor {
  const [first, ...others] = states as [Tensor, ...Tensor[]];
  if (others.length === 0) return first;
  const [, tokens = 0, width = 0] = first.shape;
  if (stacked) {
    const all = tensor([1, states.length, tokens, width]);
    states.forEach(({ data }, layer) => {
      all.data.set(data, layer * tokens * width);
    });
    return all;
  }
  const all = tensor([1, tokens, states.length * width]);
  states.forEach(({ data }, part) => {
    for (let token = 0; token < tokens; token++) {
      const from = data.subarray(token * width, (token + 1) * width);
      all.data.set(from, (token * states.length + part) * width);
    }
  });
  return all;
}

async function embedRow(use: RowEncoder, row: Section, options: EncodeOptions): Promise<EmbeddedRow> {
  const { weights, warn } = options;
  const width = weights.weight(use.network.embedding).shape[1]!;
  const scale = Math.fround(use.network.scale(width));
  const known = new Map<number, Float32Array>();
  const vectorOf = (token: number): Float32Array => {
    const found = known.get(token) ?? weights.rows(use.network.embedding, token, 1);
    if (!known.has(token) && scale !== 1) found.forEach((value, index) => (found[index] = value * scale));
    known.set(token, found);
    return found;
  };
  const parts: Float32Array[] = [];
  const kinds: (number | { readonly rows: number })[] = [];
  const pictures: (SeenPicture & { readonly at: number })[] = [];
  let strange = 0;
  let at = 0;
  for (const { token } of row) {
    if (typeof token === 'number') {
      parts.push(vectorOf(token));
      kinds.push(token);
      at += 1;
    } else if (!(token instanceof Float32Array)) {
      const seen = await use.pictures!.look(token, options);
      const [rows = 0] = seen.rows.shape;
      parts.push(seen.rows.data);
      kinds.push({ rows });
      pictures.push({ ...seen, at });
      at += rows;
    } else if (token.length === width) {
      parts.push(token);
      kinds.push({ rows: 1 });
      at += 1;
    } else strange += 1;
  }
  const mask = rowMask(kinds, use.special);
  if (strange > 0) {
    warn(`${strange} vectors of embeddings in a prompt are ignored: ${use.name} needs them ${width} wide`);
    for (let index = 0; index < strange; index++) {
      parts.push(vectorOf(use.special.pad));
      mask.push(0);
    }
  }
  const embeddings = tensor([1, mask.length, width]);
  let offset = 0;
  for (const part of parts) {
    embeddings.data.set(part, offset);
    offset += part.length;
  }
  return { embeddings, mask, pictures };
}

/** Where tokens are in time, and those of pictures in their rows and columns, too (ComfyUI comfy/text_encoders/llama.py, Qwen25_7BVLI.forward). */
function picturePositions(
  mask: readonly number[],
  pictures: readonly (SeenPicture & { readonly at: number })[],
): number[][] {
  const axes = [0, 1, 2].map(() => mask.map(() => 1));
  let offset = 0;
  pictures.forEach(({ at, rows, down, across }, index) => {
    const size = rows.shape[0]!;
    const end = at + size;
    if (index === 0) for (const axis of axes) for (let token = 0; token < at; token++) axis[token] = token;
    const longest = Math.max(down, across);
    let count = 0;
    for (let token = end; token < mask.length; token++) {
      if (mask[token] === 0) continue;
      for (const axis of axes) axis[token] = at + longest + offset + count;
      count += 1;
    }
    const perRow = Math.ceil(size / down);
    for (let row = 0; row < size; row++) {
      axes[0]![at + row] = at + offset;
      axes[1]![at + row] = at + offset + Math.floor(row / perRow);
      axes[2]![at + row] = at + offset + (row % across);
    }
    offset += longest - size;
  });
  return axes;
}
