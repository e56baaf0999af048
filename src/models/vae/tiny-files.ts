/** Tiny autoencoders by name: each is two files in `vae_approx`, encoder and decoder (ComfyUI nodes.py, VAELoader). */
import type { Weight } from '../../compute/weight.js';
import type { Folders } from '../folders/folders.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';

/** How latents of nodes become those that a tiny autoencoder was trained on; by its name. */
const SCALINGS: Readonly<Record<string, { readonly scale: number; readonly shift: number }>> = {
  taesd: { scale: 0.18215, shift: 0 },
  taesdxl: { scale: 0.13025, shift: 0 },
  taesd3: { scale: 1.5305, shift: 0.0609 },
  taef1: { scale: 0.3611, shift: 0.1159 },
  taef2: { scale: 1, shift: 0 },
};

/** The files of one, absolute, and how latents of nodes become its own: (x − shift) · scale. */
export interface TinyVaeFiles {
  /** Left out, it only decodes. */
  readonly encoder?: string;
  readonly decoder: string;
  readonly scale: number;
  readonly shift: number;
}

/** Names of those of which both files are there. */
export function tinyVaeNames(folders: Folders): readonly string[] {
  return Object.keys(SCALINGS).filter((name) => tinyVaeFiles(folders, name) !== undefined);
}

/** The tiny autoencoder `name`; undefined when there is none of that name, or one of its files is missing. */
export function tinyVaeFiles(folders: Folders, name: string): Required<TinyVaeFiles> | undefined {
  if (!Object.hasOwn(SCALINGS, name)) return undefined;
  const [encoder, decoder] = ['encoder', 'decoder'].map((part) => partOf(folders, `${name}_${part}.`));
  return encoder === undefined || decoder === undefined
    ? undefined
    : { encoder, decoder, ...SCALINGS[name]! };
}

/** Tiny autoencoders of films, each a file of `vae_approx` with both networks. */
const FILMS = ['taehv', 'lighttaew2_2', 'lighttaew2_1', 'lighttaehy1_5', 'taeltx_2'];

/** Files of films' tiny autoencoders, as VAELoader lists them. */
export function tinyFilmNames(folders: Folders): readonly string[] {
  return folders.list('vae_approx').filter((name) => {
    const [start, ...rest] = name.split('_');
    const ofPictures = rest.length > 0 && Object.hasOwn(SCALINGS, start!);
    return !ofPictures && FILMS.some((film) => name.startsWith(film));
  });
}

/** The absolute path of one, by the name of its file; undefined for another. */
export function tinyFilmFile(folders: Folders, name: string): string | undefined {
  return tinyFilmNames(folders).includes(name) ? folders.resolve('vae_approx', name) : undefined;
}

/** The decoder for previews whose file begins with `start` (ComfyUI latent_preview.py, get_previewer): it takes what a denoiser sees. Of films, a whole autoencoder. */
export function tinyDecoder(folders: Folders, start: string): TinyVaeFiles | string | undefined {
  const decoder = partOf(folders, start);
  if (decoder !== undefined && FILMS.includes(start)) return decoder;
  return decoder === undefined ? undefined : { decoder, scale: 1, shift: 0 };
}

/** Absolute path of the first file that begins with `start`. */
function partOf(folders: Folders, start: string): string | undefined {
  const file = folders.list('vae_approx').find((listed) => listed.startsWith(start));
  return file === undefined ? undefined : folders.resolve('vae_approx', file);
}

/** The two files as one tiny autoencoder, in ComfyUI's keys, with its scaling. */
export function tinyWeights(
  { encoder, decoder, scale, shift }: TinyVaeFiles,
  open: (path: string) => WeightSource,
): WeightSource {
  const decoding = open(decoder);
  const parts: (readonly [prefix: string, source: WeightSource])[] = [['taesd_decoder.', decoding]];
  if (encoder !== undefined) parts.unshift(['taesd_encoder.', open(encoder)]);
  const numbers = new Map([
    ['vae_scale', scale],
    ['vae_shift', shift],
  ]);
  const find = (key: string): readonly [WeightSource, string] => {
    const part = parts.find(([prefix]) => key.startsWith(prefix));
    if (part === undefined) throw new ModelError(`the tiny autoencoder of ${decoder} has no tensor ${key}`);
    return [part[1], key.slice(part[0].length)];
  };
  return {
    path: decoder,
    identity: [...parts.map(([, { identity }]) => identity), scale, shift].join(' '),
    *keys() {
      for (const [prefix, source] of parts) for (const key of source.keys()) yield prefix + key;
      yield* numbers.keys();
    },
    has: (key) => numbers.has(key) || parts.some(([prefix, source]) => inPart(key, prefix, source)),
    weight(key) {
      const value = numbers.get(key);
      if (value !== undefined) return numberWeight(key, value);
      const [source, own] = find(key);
      return source.weight(own);
    },
    rows(key, start, count) {
      const [source, own] = find(key);
      return source.rows(own, start, count);
    },
  };
}

function inPart(key: string, prefix: string, source: WeightSource): boolean {
  return key.startsWith(prefix) && source.has(key.slice(prefix.length));
}

function numberWeight(name: string, value: number): Weight {
  return {
    name,
    shape: [],
    read(into) {
      into[0] = value;
    },
  };
}
