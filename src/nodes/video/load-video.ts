/** Films to image batches (ComfyUI-VideoHelperSuite, load_video_nodes.py). */
import { extname } from 'node:path';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { upscaleImage } from '../../imaging/upscale.js';
import type { Folders } from '../../models/folders/folders.js';
import type { VaeModel } from '../../models/vae/vae-model.js';
import { decodeVideo } from '../../video/decode.js';
import { VideoError } from '../../video/video-error.js';
import { toImage } from '../../video/frames.js';
import { valueOf } from '../../video/rational.js';
import { probeVideo, type VideoInfo } from '../../video/video-info.js';
import type { RunContext } from '../context.js';
import { combo, defineNode, float, int, link, string } from '../definition.js';
import { FrameBatch } from './frame-batch.js';
import { FILM_CATEGORY, sampleTimes, targetSize, type Selection } from './film-sampling.js';
import { fileStamp, rejectMissing, resolveFilmPath } from '../files/input-files.js';
import { readAudio } from './read-audio.js';
import type { AudioSource, FilmInfo, Image, Latent } from '../values.js';

/** What models of films ask of them: sides' divisor, and remainder and divisor of the number of frames. */
const LOAD_FORMATS = {
  None: {},
  AnimateDiff: { sides: 8 },
  Mochi: { sides: 16, frames: [6, 1] },
  LTXV: { sides: 32, frames: [8, 1] },
  Hunyuan: { sides: 16, frames: [4, 1] },
  Cosmos: { sides: 16, frames: [8, 1] },
  Wan: { sides: 8, frames: [4, 1] },
} as const satisfies Readonly<
  Record<string, { readonly sides?: number; readonly frames?: readonly [number, number] }>
>;
type LoadFormat = keyof typeof LOAD_FORMATS;
const FORMAT_NAMES = Object.keys(LOAD_FORMATS) as LoadFormat[];

const EXTENSIONS = new Set(['.webm', '.mp4', '.mkv', '.gif', '.mov']);
const MOST = Number.MAX_SAFE_INTEGER;
const LONGEST_SIDE = 8192;

const selection = {
  force_rate: float({
    default: 0,
    min: 0,
    max: 60,
    step: 1,
    also: ['INT'],
    tooltip: "Frames a second to take, by leaving some out or repeating them; 0 for the film's own.",
  }),
  custom_width: int({
    default: 0,
    min: 0,
    max: LONGEST_SIDE,
    tooltip: 'Width to scale to; 0 follows from the height.',
  }),
  custom_height: int({
    default: 0,
    min: 0,
    max: LONGEST_SIDE,
    tooltip: 'Height to scale to; 0 follows from the width.',
  }),
  frame_load_cap: int({
    default: 0,
    min: 0,
    max: MOST,
    step: 1,
    tooltip: 'The most frames to take; 0 for all.',
  }),
  skip_first_frames: int({
    default: 0,
    min: 0,
    max: MOST,
    step: 1,
    tooltip: 'Frames to leave out at the beginning.',
  }),
  select_every_nth: int({ default: 1, min: 1, max: MOST, step: 1, tooltip: 'Take only each n-th frame.' }),
} as const;

const optional = {
  meta_batch: link('VHS_BatchManager', {
    tooltip: 'Not supported: whole films go through `latentd upscale`.',
  }),
  vae: link('VAE', { tooltip: 'Gives latents instead of images.' }),
  format: combo(FORMAT_NAMES, {
    default: 'AnimateDiff',
    tooltip: 'What sides are made multiples of, and numbers of frames cut to, for a kind of model.',
  }),
} as const;

const outputs = [
  { type: 'IMAGE', name: 'IMAGE', also: ['LATENT'], tooltip: 'The frames; latents with `vae`.' },
  { type: 'INT', name: 'frame_count' },
  { type: 'AUDIO', name: 'audio', tooltip: 'The sound of the same time; read when it is used.' },
  { type: 'VHS_VIDEOINFO', name: 'video_info' },
] as const;

interface Loading extends Selection {
  readonly custom_width: number;
  readonly custom_height: number;
  readonly vae?: VaeModel;
  readonly format?: LoadFormat;
}

async function loadVideo(path: string, inputs: Loading, context: RunContext) {
  const info = await probeVideo(path);
  const { vae, format = 'None' } = inputs;
  const wanted: { readonly sides?: number; readonly frames?: readonly [number, number] } =
    LOAD_FORMATS[format];
  const size = targetSize(info, inputs, vae?.downscale ?? wanted.sides ?? 1);
  const { frames, frameTime } = await loadFrames(info, inputs, size, context);
  const images = cutTo(frames, wanted.frames);
  const count = images.shape[0]!;
  const fps = valueOf(info.frameRate);
  const video: FilmInfo = {
    source: {
      fps,
      frameCount: info.frames,
      duration: info.frames / fps,
      width: info.width,
      height: info.height,
    },
    loaded: { fps: 1 / frameTime.selected, frameCount: count, duration: count * frameTime.selected, ...size },
  };
  const excerpt = {
    start: inputs.skip_first_frames * frameTime.sampled,
    duration: inputs.frame_load_cap * frameTime.selected,
  };
  const audio: AudioSource = (signal) => readAudio(info, excerpt, signal);
  const value: Image | Latent = vae === undefined ? images : { samples: await vae.encode(images) };
  return { outputs: [value, count, audio, video] as const };
}

async function loadFrames(
  info: VideoInfo,
  selected: Selection,
  size: { readonly width: number; readonly height: number },
  { signal, progress }: RunContext,
) {
  const sampling = sampleTimes(info, selected);
  const length = size.width * size.height * 3;
  const batch = new FrameBatch(length, sampling.expected, 'set frame_load_cap, a smaller size');
  const resized = size.width !== info.width || size.height !== info.height;
  for await (const frame of decodeVideo(info, { format: 'rgb24', conversion: 'fast', signal })) {
    const times = sampling.take();
    if (times === 'end') break;
    if (times === 0) continue;
    const image = toImage(frame);
    const scaled = resized ? upscaleImage(image, 'lanczos', { ...size, crop: 'center' }) : image;
    for (let time = 0; time < times; time++) batch.add(scaled.data);
    progress({ step: batch.count, totalSteps: Math.max(batch.count, sampling.expected) });
    if (sampling.isFull()) break;
  }
  if (batch.count === 0) {
    throw new VideoError(`no frames are left of ${info.path}: it has ${info.frames}; skip fewer of them`);
  }
  const frames = tensor([batch.count, size.height, size.width, 3], batch.values());
  return { frames, frameTime: sampling.frameTime };
}

/** The first frames, as many as leave the remainder. */
function cutTo(images: Tensor, rule: readonly [number, number] | undefined): Tensor {
  const [count, ...rest] = images.shape as readonly [number, number, number, number];
  if (rule === undefined || count % rule[0] === rule[1]) return images;
  const kept = Math.floor((count - rule[1]) / rule[0]) * rule[0] + rule[1];
  if (kept < 1) throw new VideoError(`${count} frames are too few: this format needs ${rule[1]} or more`);
  return tensor([kept, ...rest], images.data.subarray(0, (images.data.length / count) * kept));
}

/** Changes when the file does. */
function fingerprint({ video }: { readonly video?: string }, folders: Folders): string {
  if (video === undefined) return '';
  return fileStamp(resolveFilmPath(video, folders));
}

export const vhsLoadVideo = defineNode({
  name: 'VHS_LoadVideo',
  displayName: 'Load Video (Upload) 🎥🅥🅗🅢',
  category: FILM_CATEGORY,
  description: 'Loads the frames of a film from the input folder, all of them into memory.',
  required: {
    video: combo(
      (folders) => folders.listInput().filter((name) => EXTENSIONS.has(extname(name).toLowerCase())),
      { reject: rejectMissing, tooltip: 'A file in the input folder, or NAME [output] and NAME [temp].' },
    ),
    ...selection,
  },
  optional,
  outputs,
  fingerprint,
  run: (inputs, context) => loadVideo(resolveFilmPath(inputs.video, context.folders), inputs, context),
});

export const vhsLoadVideoPath = defineNode({
  name: 'VHS_LoadVideoPath',
  displayName: 'Load Video (Path) 🎥🅥🅗🅢',
  category: FILM_CATEGORY,
  description: 'The same with a path, which must lie in the input folder all the same.',
  required: {
    video: string({ tooltip: 'A path in the input folder, absolute or relative to it.' }),
    ...selection,
  },
  optional,
  outputs,
  fingerprint,
  run: (inputs, context) => loadVideo(resolveFilmPath(inputs.video, context.folders), inputs, context),
});
