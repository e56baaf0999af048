/** The names that IP-Adapters and their image encoders are given out under (ComfyUI_IPAdapter_plus, utils.py). */
import { ModelError } from '../../models/model-error.js';
import type { Folders } from '../../models/folders/folders.js';

export const PRESETS = {
  usual: [
    'LIGHT - SD1.5 only (low strength)',
    'STANDARD (medium strength)',
    'VIT-G (medium strength)',
    'PLUS (high strength)',
    'PLUS FACE (portraits)',
    'FULL FACE - SD1.5 only (portraits stronger)',
  ],
  community: ['Composition', 'Kolors'],
  faces: [
    'FACEID',
    'FACEID PLUS - SD1.5 only',
    'FACEID PLUS V2',
    'FACEID PORTRAIT (style transfer)',
    'FACEID PORTRAIT UNNORM - SDXL only (strong)',
  ],
} as const;

export type Preset = (typeof PRESETS)['usual' | 'community'][number];

/** Absolute paths. */
export interface PresetFiles {
  readonly adapter: string;
  readonly encoder: string;
}

type Patterns = Partial<Readonly<Record<'sd15' | 'sdxl', readonly RegExp[]>>>;

const ADAPTERS: Readonly<Record<Preset, Patterns>> = {
  'LIGHT - SD1.5 only (low strength)': {
    sd15: [/sd15.light.v11\.(safetensors|bin)$/i, /sd15.light\.(safetensors|bin)$/i],
  },
  'STANDARD (medium strength)': {
    sd15: [/ip.adapter.sd15\.(safetensors|bin)$/i],
    sdxl: [/ip.adapter.sdxl.vit.h\.(safetensors|bin)$/i],
  },
  'VIT-G (medium strength)': {
    sd15: [/sd15.vit.g\.(safetensors|bin)$/i],
    sdxl: [/ip.adapter.sdxl\.(safetensors|bin)$/i],
  },
  'PLUS (high strength)': {
    sd15: [/ip.adapter.plus.sd15\.(safetensors|bin)$/i],
    sdxl: [/plus.sdxl.vit.h\.(safetensors|bin)$/i],
  },
  'PLUS FACE (portraits)': {
    sd15: [/plus.face.sd15\.(safetensors|bin)$/i],
    sdxl: [/plus.face.sdxl.vit.h\.(safetensors|bin)$/i],
  },
  'FULL FACE - SD1.5 only (portraits stronger)': { sd15: [/full.face.sd15\.(safetensors|bin)$/i] },
  Composition: {
    sd15: [/plus.composition.sd15\.safetensors$/i],
    sdxl: [/plus.composition.sdxl\.safetensors$/i],
  },
  Kolors: {},
};

const BIG_G = /(ViT.bigG.14.*39B.b160k|ipadapter.*sdxl|sdxl.*model)\.(bin|safetensors)/i;
const H = /(ViT.H.14.*s32B.b79K|ipadapter.*sd15|sd1.?5.*model)\.(bin|safetensors)/i;

/** Throws `ModelError` naming what file is missing, and where it would be looked for. */
export function findFile(preset: Preset, family: 'sd15' | 'sdxl', folders: Folders): PresetFiles {
  const title = family === 'sdxl' ? 'SDXL' : 'SD 1.5';
  const patterns = ADAPTERS[preset][family];
  if (patterns === undefined) throw new ModelError(`there is no IP-Adapter "${preset}" for ${title} models`);
  const needsBigG = preset.startsWith('VIT-G');
  return {
    encoder: found(
      folders,
      'clip_vision',
      [needsBigG ? BIG_G : H],
      needsBigG
        ? 'CLIP-ViT-bigG-14-laion2B-39B-b160k.safetensors'
        : 'CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors',
    ),
    adapter: found(folders, 'ipadapter', patterns, `the IP-Adapter "${preset}" for ${title}`),
  };
}

function found(
  folders: Folders,
  kind: 'clip_vision' | 'ipadapter',
  patterns: readonly RegExp[],
  wanted: string,
): string {
  for (const pattern of patterns) {
    const name = folders.list(kind).find((each) => pattern.test(each));
    if (name !== undefined) return folders.resolve(kind, name);
  }
  throw new ModelError(
    `models/${kind} has no file for ${wanted}: its name has to match ${patterns.map(({ source }) => source).join(' or ')}`,
  );
}
