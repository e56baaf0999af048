/** Between images and latents (ComfyUI nodes.py). */
import { rgbOf } from '../../imaging/channels.js';
import { defineNode, int, link } from '../definition.js';

export const vaeDecode = defineNode({
  name: 'VAEDecode',
  displayName: 'VAE Decode',
  category: 'model/latent',
  description: 'Decodes latents into images.',
  required: {
    samples: link('LATENT', { tooltip: 'The latents to decode.' }),
    vae: link('VAE', { tooltip: 'The VAE to use.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE', tooltip: 'The decoded images.' }],
  async run({ samples: latent, vae }) {
    return { outputs: [await vae.decode(latent.samples)] };
  },
});

export const vaeEncode = defineNode({
  name: 'VAEEncode',
  displayName: 'VAE Encode',
  category: 'model/latent',
  description: 'Encodes images into latents. Sides are cropped to multiples of 8 pixels.',
  required: { pixels: link('IMAGE'), vae: link('VAE') },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run({ pixels, vae }) {
    return { outputs: [{ samples: await vae.encode(rgbOf(pixels)) }] };
  },
});

const tileSize = (step: number) =>
  int({ default: 512, min: 64, max: 4096, step, tooltip: 'Side of a tile in pixels.' });
const overlap = int({
  default: 64,
  min: 0,
  max: 4096,
  step: 32,
  tooltip: 'How far neighbouring tiles overlap, in pixels.',
});
const temporalSize = int({ default: 64, min: 8, max: 4096, step: 4, tooltip: 'Of films: frames of a tile.' });
const temporalOverlap = int({
  default: 8,
  min: 4,
  max: 4096,
  step: 4,
  tooltip: 'Of films: frames that tiles share.',
});

export const vaeDecodeTiled = defineNode({
  name: 'VAEDecodeTiled',
  displayName: 'VAE Decode (Tiled)',
  category: 'model/latent',
  description: 'Decodes latents tile by tile, for pictures too large to decode at once.',
  required: {
    samples: link('LATENT'),
    vae: link('VAE'),
    tile_size: tileSize(32),
    overlap,
    temporal_size: temporalSize,
    temporal_overlap: temporalOverlap,
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  async run({ samples: latent, vae, tile_size, overlap, temporal_size, temporal_overlap }) {
    const tiles = {
      tileSize: tile_size,
      overlap: tile_size < overlap * 4 ? Math.floor(tile_size / 4) : overlap,
      temporalSize: temporal_size,
      temporalOverlap: temporal_overlap,
    };
    return { outputs: [await vae.decode(latent.samples, tiles)] };
  },
});

export const vaeEncodeTiled = defineNode({
  name: 'VAEEncodeTiled',
  displayName: 'VAE Encode (Tiled)',
  category: 'model/latent',
  description: 'Encodes images tile by tile, for pictures too large to encode at once.',
  required: {
    pixels: link('IMAGE'),
    vae: link('VAE'),
    tile_size: tileSize(64),
    overlap,
    temporal_size: temporalSize,
    temporal_overlap: temporalOverlap,
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run({ pixels, vae, tile_size, overlap, temporal_size, temporal_overlap }) {
    const samples = await vae.encode(rgbOf(pixels), {
      tileSize: tile_size,
      overlap,
      temporalSize: temporal_size,
      temporalOverlap: temporal_overlap,
    });
    return { outputs: [{ samples }] };
  },
});
