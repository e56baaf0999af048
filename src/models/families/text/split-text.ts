/** Text encoders from files of their own: CLIPLoader, DualCLIPLoader and their kin (ComfyUI comfy/sd.py, load_text_encoder_state_dicts). */
import { ModelError } from '../../model-error.js';
import { joinChannels } from '../../text/join-channels.js';
import type { TextEncoding } from '../../text/text-encoding.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { underPrefix } from '../../weights/weight-views.js';
import { refinerClipG, sd1ClipL, sd2ClipH, sdxlClipG, sdxlClipL } from '../clip-uses.js';
import type { FamilyText } from '../family.js';
import { fluxText } from './flux-text.js';
import { hiDreamText, type HiDreamEncoder } from './hidream-text.js';
import { flux2Mistral, kleinQwen, luminaGemma, zImageQwen } from './language-uses.js';
import { qwenImage } from './qwen-image-uses.js';
import { recogniseEncoder, type EncoderKind, type RecognisedEncoder } from './recognise-encoder.js';
import { sd3Text, type Sd3Encoder } from './sd3-text.js';
import { singleText } from './single-text.js';
import { pileT5, pixartT5, wanUmt5 } from './t5-uses.js';

/** A family's encoding, and the kind of encoder that each of its names stands for. */
interface Combination {
  readonly encoding: TextEncoding;
  readonly kinds: Readonly<Record<string, EncoderKind>>;
}

/**
 * The encoding that `files` are for `type`, as the loaders' input has it. Throws `ModelError` naming the file that is none of
 * the kind, or what the type needs.
 */
export function splitText(files: readonly WeightSource[], type: string): FamilyText {
  const found = files.map((file) => recognised(file));
  const { encoding, kinds } = combine(found, type);
  const weights: Record<string, WeightSource> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    const source = found.find((each) => each.kind === kind)?.weights;
    if (source === undefined) {
      throw new ModelError(
        `text encoders of type ${type} need ${listed(Object.values(kinds))}; given are ${listed(found.map((each) => each.kind))}`,
      );
    }
    weights[name] = source;
  }
  return { encoding, weights };
}

/** Where checkpoints of transformers keep their text encoders: `text_encoders.clip_l.transformer.…`, one name each. */
const enclosed = /^(text_encoders\.[^.]+\.)/;

/** The encoding of those encoders that a checkpoint holds; undefined for one that holds none. Throws `ModelError` likewise. */
export function enclosedText(checkpoint: WeightSource, type: string): FamilyText | undefined {
  const prefixes = new Set<string>();
  for (const key of checkpoint.keys()) {
    const [, prefix] = enclosed.exec(key) ?? [];
    if (prefix !== undefined) prefixes.add(prefix);
  }
  if (prefixes.size === 0) return undefined;
  return splitText(
    [...prefixes].map((prefix) => underPrefix(underPrefix(checkpoint, prefix), 'transformer.')),
    type,
  );
}

function recognised(file: WeightSource): RecognisedEncoder {
  const found = recogniseEncoder(file);
  if (typeof found !== 'string') return found;
  throw new ModelError(`${file.path} can't be loaded as a text encoder: it looks like ${found}`);
}

function listed(kinds: readonly EncoderKind[]): string {
  return kinds.map((kind) => titles[kind]).join(', ');
}

const titles: Readonly<Record<EncoderKind, string>> = {
  'clip l': 'CLIP-L',
  'clip h': 'OpenCLIP-H',
  'clip g': 'OpenCLIP bigG',
  t5: 'T5-XXL',
  umt5: 'UMT5-XXL',
  'pile t5': 'Pile T5-XL',
  'gemma 2': 'Gemma 2',
  'qwen 2.5 vl': 'Qwen2.5-VL',
  'qwen 3 0.6B': 'Qwen3 0.6B',
  'qwen 3 4B': 'Qwen3 4B',
  'qwen 3 8B': 'Qwen3 8B',
  'mistral 3': 'Mistral 3',
  'llama 3': 'Llama 3',
};

function combine(found: readonly RecognisedEncoder[], type: string): Combination {
  if (type === 'sd3') return sd3(found.map(({ kind }) => kind));
  if (type === 'hidream' || found.length === 4) return hiDream(found.map(({ kind }) => kind));
  if (found.length === 1) return single(found[0]!.kind, type);
  if (found.length === 3) return sd3(['clip l', 'clip g', 't5']);
  switch (type) {
    case 'sdxl':
      return {
        encoding: { encoders: [sdxlClipL, sdxlClipG], join: joinChannels },
        kinds: { l: 'clip l', g: 'clip g' },
      };
    case 'flux':
      return { encoding: fluxText, kinds: { l: 'clip l', t5xxl: 't5' } };
    default:
      throw new ModelError(`${found.length} text encoders of type ${type} are not supported`);
  }
}

function hiDream(kinds: readonly EncoderKind[]): Combination {
  const names: Readonly<Record<HiDreamEncoder, EncoderKind>> = {
    ...{ l: 'clip l', g: 'clip g', t5xxl: 't5', llama: 'llama 3' },
  };
  const present = (Object.keys(names) as HiDreamEncoder[]).filter((name) => kinds.includes(names[name]));
  return {
    encoding: hiDreamText(present),
    kinds: Object.fromEntries(present.map((name) => [name, names[name]])),
  };
}

function sd3(kinds: readonly EncoderKind[]): Combination {
  const names: Readonly<Record<Sd3Encoder, EncoderKind>> = { l: 'clip l', g: 'clip g', t5xxl: 't5' };
  const present = (Object.keys(names) as Sd3Encoder[]).filter((name) => kinds.includes(names[name]));
  return {
    encoding: sd3Text(present),
    kinds: Object.fromEntries(present.map((name) => [name, names[name]])),
  };
}

/** One encoder of a kind, for whichever type: its family's where the type names none. */
function single(kind: EncoderKind, type: string): Combination {
  const of = (encoding: TextEncoding): Combination => ({
    encoding,
    kinds: { [encoding.encoders[0]!.name]: kind },
  });
  switch (kind) {
    case 'clip l':
      return of({ encoders: [sd1ClipL], join: joinChannels });
    case 'clip h':
      return of({ encoders: [sd2ClipH], join: joinChannels });
    case 'clip g':
      return of({ encoders: [refinerClipG], join: joinChannels });
    case 't5':
      if (type === 'chroma' || type === 'pixart') return of(singleText(pixartT5));
      break;
    case 'umt5':
      if (type === 'wan') return of(singleText(wanUmt5));
      break;
    case 'pile t5':
      return of(singleText(pileT5));
    case 'gemma 2':
      if (type !== 'pixeldit') return of(singleText(luminaGemma));
      break;
    case 'qwen 3 4B':
      return of(singleText(type === 'flux2' || type === 'flux' ? kleinQwen('qwen3_4b', 2560) : zImageQwen));
    case 'qwen 3 8B':
      if (type !== 'ideogram4') return of(singleText(kleinQwen('qwen3_8b', 4096)));
      break;
    case 'mistral 3':
      return of(singleText(flux2Mistral));
    case 'qwen 2.5 vl':
      if (type !== 'hunyuan_image' && type !== 'longcat_image') return of(singleText(qwenImage));
      break;
    case 'qwen 3 0.6B':
    case 'llama 3':
      break;
  }
  throw new ModelError(`${titles[kind]} as the text encoder of type ${type} is not supported`);
}
