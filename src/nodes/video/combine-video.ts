/** Image batches to films and animated pictures (ComfyUI-VideoHelperSuite, nodes.py, VideoCombine). */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { encodePng } from '../../imaging/png.js';
import type { VaeModel } from '../../models/vae/vae-model.js';
import type { RunContext } from '../context.js';
import { boolean, combo, defineNode, float, int, link, string, type SavedFilm } from '../definition.js';
import { COMBINE_FORMATS, filmEncoding, FormatInputs, isPictureFormat } from './film-formats.js';
import { addSound, pictureOf, writeFilm, writePicture, type FilmJob, type Shown } from './film-writing.js';
import { FILM_CATEGORY } from './film-sampling.js';
import { claimTogether, openSeries } from '../files/output-files.js';
import { withTemporary } from '../files/temporary-path.js';
import type { AudioSource, Image, Latent } from '../values.js';

/** What the editor's workflow may switch off: `extra.VHS_MetadataImage` and `extra.VHS_KeepIntermediate`. */
const extraSchema = z
  .object({
    extra: z.object({ VHS_MetadataImage: z.unknown(), VHS_KeepIntermediate: z.unknown() }).partial(),
  })
  .partial();

interface Habits {
  /** The first frame is saved as a PNG with the workflow inside. */
  readonly metadataImage: boolean;
  /** The film without its sound stays beside the one with it. */
  readonly keepIntermediate: boolean;
}

function habitsOf({ metadata }: RunContext): Habits {
  const parsed = extraSchema.safeParse(JSON.parse(metadata['workflow'] ?? '{}'));
  const extra = parsed.success ? parsed.data.extra : undefined;
  return {
    metadataImage: extra?.VHS_MetadataImage !== false,
    keepIntermediate: extra?.VHS_KeepIntermediate !== false,
  };
}

interface Combining {
  readonly images: Image | Latent;
  readonly frame_rate: number;
  readonly loop_count: number;
  readonly filename_prefix: string;
  readonly format: string;
  readonly pingpong: boolean;
  readonly save_output: boolean;
  readonly audio?: AudioSource;
  readonly vae?: VaeModel;
}

/** Files of one film by what their names end with, and where they wait. */
interface Part {
  readonly ending: string;
  readonly path: string;
}

async function combine(inputs: Combining, context: RunContext) {
  const { save_output: saveOutput, format, frame_rate: frameRate } = inputs;
  const shown = framesOf(inputs);
  const [first] = shown.count === 0 ? [] : [await shown.at(0)];
  if (first === undefined) return { outputs: [{ saveOutput, files: [] }] as const };
  const type = saveOutput ? 'output' : 'temp';
  const root = context.folders[type];
  const series = await openSeries(type, root, inputs.filename_prefix, { width: 0, height: 0 });
  const waiting = join(series.folder, `.latentd-${randomUUID()}`);
  return withTemporary(waiting, async () => {
    await mkdir(waiting);
    const habits = habitsOf(context);
    const pictures = habits.metadataImage ? [await metadataImage(first, waiting, context)] : [];
    const films = await writeParts(inputs, shown, first, { waiting, context, habits });
    const parts = [...pictures, ...films];
    const names = await claimAll(series.folder, series.filename, parts);
    const files = names.map((name) => join(series.folder, name));
    const filename = names.at(-1)!;
    const { subfolder } = series;
    const film: SavedFilm = { filename, subfolder, type, path: files.at(-1)!, format, frame_rate: frameRate };
    return { outputs: [{ saveOutput, files }] as const, ui: { gifs: [film] } };
  });
}

async function metadataImage(first: Shown, waiting: string, { metadata }: RunContext): Promise<Part> {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  const texts = { ...metadata, CreationTime: local.toISOString().slice(0, 19).replace('T', ' ') };
  const path = join(waiting, 'first.png');
  await writeFile(path, await encodePng(pictureOf(first), { compressionLevel: 4, texts }));
  return { ending: '.png', path };
}

interface Workplace {
  readonly waiting: string;
  readonly context: RunContext;
  readonly habits: Habits;
}

async function writeParts(
  inputs: Combining,
  shown: FrameSequence,
  first: Shown,
  { waiting, context, habits }: Workplace,
): Promise<Part[]> {
  const { format, audio, frame_rate: frameRate } = inputs;
  const { signal } = context;
  const order = inputs.pingpong
    ? thereAndBack(shown.count)
    : Array.from({ length: shown.count }, (_, index) => index);
  const job: FilmJob = {
    frames: inOrder(shown, order),
    count: order.length,
    frameRate,
    loops: inputs.loop_count,
    signal,
    onFrame: (step) => {
      context.progress({ step, totalSteps: order.length });
    },
  };
  const given = inputs as unknown as Readonly<Record<string, unknown>>;
  if (isPictureFormat(format)) {
    const extension = format.slice('image/'.length);
    const path = join(waiting, `film.${extension}`);
    const lossless = format === 'image/webp' && new FormatInputs(format, given).flag('lossless', true);
    await writePicture(path, format, job, lossless);
    return [{ ending: `.${extension}`, path }];
  }
  const encoding = filmEncoding(format, given, first.batch.shape[3] === 4);
  const { extension } = encoding;
  const texts = { texts: context.metadata, path: join(waiting, 'metadata.txt') };
  if (encoding.sequence === true) {
    await mkdir(join(waiting, 'frames'));
    await writeFilm(join(waiting, 'frames', `%03d.${extension}`), encoding, job, texts);
    const names = (await readdir(join(waiting, 'frames'))).sort();
    return names.map((name) => ({ ending: `.${name}`, path: join(waiting, 'frames', name) }));
  }
  const film = { ending: `.${extension}`, path: join(waiting, `film.${extension}`) };
  await writeFilm(film.path, encoding, job, texts);
  const sound = await audio?.(signal);
  if (sound === undefined) return [film];
  const whole = { ending: `-audio.${extension}`, path: join(waiting, `sound.${extension}`) };
  await addSound(
    { film: film.path, seconds: order.length / frameRate, audio: sound },
    whole.path,
    encoding,
    signal,
  );
  return habits.keepIntermediate ? [film, whole] : [whole];
}

/** Gives all files of a film the first number that is free for each of them. */
async function claimAll(
  folder: string,
  filename: string,
  parts: readonly Part[],
): Promise<readonly string[]> {
  const first = nextNumber(await readdir(folder), filename);
  const namesAt = (number: number) =>
    parts.map(({ ending }) => `${filename}_${String(number).padStart(5, '0')}${ending}`);
  const wholes = parts.map(({ path }) => path);
  return claimTogether(folder, wholes, namesAt, first);
}

/** The number after the highest of `FILENAME_NUMBER….EXTENSION`, as VideoCombine counts. */
function nextNumber(names: readonly string[], filename: string): number {
  const start = `${filename}_`.toLowerCase();
  const numbers = names
    .filter((name) => name.toLowerCase().startsWith(start))
    .map((name) => /^(\d{1,15})\D*\..+$/.exec(name.slice(start.length))?.[1])
    .map((digits) => Number(digits ?? 0));
  return Math.max(0, ...numbers) + 1;
}

/** To the end and back, without the last and the first frame twice. */
function thereAndBack(count: number): number[] {
  const there = Array.from({ length: count }, (_, index) => index);
  return [...there, ...there.slice(1, -1).reverse()];
}

interface FrameSequence {
  readonly count: number;
  at(index: number): Promise<Shown> | Shown;
}

async function* inOrder(shown: FrameSequence, order: readonly number[]): AsyncGenerator<Shown> {
  for (const index of order) yield await shown.at(index);
}

/** Images as they are; latents decoded a few at a time. */
function framesOf({ images, vae }: Combining): FrameSequence {
  if (!('samples' in images)) return { count: images.shape[0]!, at: (index) => ({ batch: images, index }) };
  if (vae === undefined) throw new Error('latents need a VAE: link one to `vae`, or decode them before');
  const { shape, data } = images.samples;
  const [count, , height, width] = shape as readonly [number, number, number, number];
  const length = data.length / count;
  // VideoHelperSuite's: about sixteen frames of full HD.
  const group = Math.max(1, Math.floor((1920 * 1080 * 16) / (width * height * vae.downscale ** 2)));
  let decoded: { readonly from: number; readonly batch: Image } | undefined;
  return {
    count,
    async at(index) {
      const from = Math.floor(index / group) * group;
      if (decoded?.from !== from) {
        const rows = Math.min(group, count - from);
        const samples = {
          shape: [rows, ...shape.slice(1)],
          data: data.subarray(from * length, (from + rows) * length),
        };
        decoded = { from, batch: await vae.decode(samples) };
      }
      return { batch: decoded.batch, index: index - from };
    },
  };
}

export const vhsVideoCombine = defineNode({
  name: 'VHS_VideoCombine',
  displayName: 'Video Combine 🎥🅥🅗🅢',
  category: FILM_CATEGORY,
  description:
    'Saves images as a film or an animated picture, with the workflow inside. Each format has inputs of its own: see docs/video.md.',
  required: {
    images: link('IMAGE', { also: ['LATENT'], tooltip: 'The frames; latents with `vae`.' }),
    frame_rate: float({
      default: 8,
      min: 1,
      max: Infinity,
      step: 1,
      also: ['INT'],
      tooltip: 'Frames a second.',
    }),
    loop_count: int({
      default: 0,
      min: 0,
      max: 100,
      step: 1,
      tooltip: 'How often films are repeated, and animated pictures played; 0 for once, and for ever.',
    }),
    filename_prefix: string({
      default: 'AnimateDiff',
      tooltip: 'What file names begin with; may hold subfolders.',
    }),
    format: combo(COMBINE_FORMATS, { tooltip: 'What to write.' }),
    pingpong: boolean({ default: false, tooltip: 'Plays there and back.' }),
    save_output: boolean({
      default: true,
      tooltip: 'Into the output folder; into the temp folder otherwise.',
    }),
  },
  optional: {
    audio: link('AUDIO', { tooltip: 'The sound; a second file has it.' }),
    meta_batch: link('VHS_BatchManager', {
      tooltip: 'Not supported: whole films go through `latentd upscale`.',
    }),
    vae: link('VAE', { tooltip: 'Decodes latents.' }),
  },
  outputs: [{ type: 'VHS_FILENAMES', name: 'Filenames' }],
  outputNode: true,
  takesMore: true,
  run: combine,
});
