/** ComfyUI's own nodes for films (comfy_extras/nodes_video.py). */
import { toPicture } from '../../../imaging/bytes.js';
import { rgbOf } from '../../../imaging/channels.js';
import { roundHalfEven } from '../../../imaging/rounding.js';
import type { RunContext } from '../../context.js';
import { boolean, combo, defineNode, float, int, link, string, type SavedFile } from '../../definition.js';
import { fileStamp, rejectMissing } from '../../files/input-files.js';
import { isFilmName } from '../../files/media-kinds.js';
import { openSeries, saveWritten } from '../../files/output-files.js';
import type { Image } from '../../values.js';
import { fileVideo } from './file-video.js';
import { framesVideo } from './frames-video.js';
import { pixelFilters, writeFilm } from './write-film.js';

const category = 'video';

/** What ComfyUI's PreviewVideo tells of a film. */
function shown(file: SavedFile) {
  return { images: [file], animated: [true] };
}

const prefix = { tooltip: 'What file names begin with; may hold subfolders.' } as const;

export const loadVideo = defineNode({
  name: 'LoadVideo',
  displayName: 'Load Video',
  category,
  description: 'Names a film in the input folder; frames are read when they are used.',
  required: {
    file: combo((folders) => folders.listInput().filter(isFilmName), {
      reject: rejectMissing,
      tooltip: 'A file in the input folder, or NAME [output] and NAME [temp].',
    }),
  },
  optional: {},
  outputs: [{ type: 'VIDEO', name: 'VIDEO' }],
  fingerprint: ({ file }, folders) => fileStamp(folders.resolveInput(file)),
  run: ({ file }, { folders }) => ({ outputs: [fileVideo(folders.resolveInput(file))] }),
});

export const createVideo = defineNode({
  name: 'CreateVideo',
  displayName: 'Create Video',
  category,
  description: 'Makes a film of images, and sound where there is some.',
  required: {
    images: link('IMAGE', { tooltip: 'The frames.' }),
    fps: float({ default: 30, min: 1, max: 120, step: 1, tooltip: 'Frames a second.' }),
  },
  optional: {
    audio: link('AUDIO', { tooltip: 'Its sound; what is longer than the film is cut off.' }),
    bit_depth: int({
      default: 8,
      min: 8,
      max: 10,
      step: 2,
      tooltip: 'Bits of a channel when it is saved: 8, or 10 for smoother gradients.',
    }),
  },
  outputs: [{ type: 'VIDEO', name: 'VIDEO' }],
  run: ({ images, fps: frameRate, audio, bit_depth: bitDepth = 8 }) => ({
    outputs: [framesVideo({ images, audio, frameRate, bitDepth })],
  }),
});

export const getVideoComponents = defineNode({
  name: 'GetVideoComponents',
  displayName: 'Get Video Components',
  category,
  description: 'The frames of a film, all of them in memory, its sound, its rate and its bit depth.',
  required: { video: link('VIDEO') },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'images' },
    { type: 'AUDIO', name: 'audio', tooltip: 'Read when it is used.' },
    { type: 'FLOAT', name: 'fps' },
    { type: 'INT', name: 'bit_depth' },
  ],
  async run({ video }, { signal }) {
    const { images, audio, frameRate, bitDepth } = await video.read(signal);
    return { outputs: [images, audio, frameRate, bitDepth] };
  },
});

export const videoSlice = defineNode({
  name: 'Video Slice',
  displayName: 'Trim Video',
  category,
  description: 'A stretch of a film.',
  required: {
    video: link('VIDEO'),
    start_time: float({
      default: 0,
      min: -1e5,
      max: 1e5,
      step: 0.001,
      tooltip: 'Seconds; from the end where negative.',
    }),
    duration: float({
      default: 0,
      min: 0,
      max: Infinity,
      step: 0.001,
      tooltip: 'Seconds; 0 for all that is left.',
    }),
    strict_duration: boolean({ default: false, tooltip: 'Refuses a film that has less than that.' }),
  },
  optional: {},
  outputs: [{ type: 'VIDEO', name: 'VIDEO' }],
  async run({ video, start_time: start, duration, strict_duration: strict }) {
    const trimmed = await video.trim(start, duration, strict);
    if (trimmed !== undefined) return { outputs: [trimmed] };
    throw new RangeError(
      `the film is ${await video.duration()} seconds long: there are no ${duration} seconds from ${start} on; ask for less, or begin earlier`,
    );
  },
});

export const saveVideo = defineNode({
  name: 'SaveVideo',
  displayName: 'Save Video',
  category,
  description:
    'Saves a film as MP4, with the workflow inside. A film from a file is copied where it may stay as it is; others become H.264, with even sides.',
  required: {
    video: link('VIDEO', { tooltip: 'The film.' }),
    filename_prefix: string({ default: 'video/ComfyUI', ...prefix }),
    format: combo(['auto', 'mp4'], { default: 'auto', tooltip: 'The container.' }),
    codec: combo(['auto', 'h264'], {
      default: 'auto',
      tooltip: 'How frames are encoded; `auto` copies what can be copied.',
    }),
  },
  optional: {},
  outputs: [{ type: 'VIDEO', name: 'video', tooltip: 'The film, as it came.' }],
  outputNode: true,
  async run({ video, filename_prefix, format: container, codec }, { folders, metadata, signal }) {
    const series = await openSeries('output', folders.output, filename_prefix, await video.size());
    const name = { counter: series.counter, batch: 0, extension: '.mp4' };
    const { file } = await saveWritten(series, name, (path) =>
      video.save(path, { container, codec, texts: metadata, signal }),
    );
    return { outputs: [video], ui: shown(file) };
  },
});

type WebmCodec = 'vp9' | 'av1';

function webmEncoder(
  codec: WebmCodec,
  alpha: boolean,
): { readonly encoder: readonly string[]; readonly pixels: string } {
  if (codec === 'vp9') return { encoder: ['-c:v', 'libvpx-vp9'], pixels: alpha ? 'yuva420p' : 'yuv420p' };
  return { encoder: ['-c:v', 'libsvtav1', '-preset', '6'], pixels: 'yuv420p10le' };
}

async function writeWebm(
  path: string,
  images: Image,
  { codec, fps, crf }: { readonly codec: WebmCodec; readonly fps: number; readonly crf: number },
  { metadata: texts, signal, progress }: RunContext,
): Promise<void> {
  const alpha = images.shape[3] === 4 && codec === 'vp9';
  const source = alpha ? images : rgbOf(images);
  const [count, height, width] = source.shape as readonly [number, number, number, number];
  const { encoder, pixels } = webmEncoder(codec, alpha);
  await writeFilm(path, {
    frames: {
      width,
      height,
      count,
      format: alpha ? 'rgba' : 'rgb24',
      rate: `${roundHalfEven(fps * 1000)}/1000`,
      at(index) {
        progress({ step: index + 1, totalSteps: count });
        return toPicture(source, index).data;
      },
    },
    container: 'webm',
    encoder: [...encoder, '-crf', String(Math.trunc(crf)), '-b:v', '0'],
    filters: pixelFilters(pixels),
    texts,
    signal,
  });
}

export const saveWebm = defineNode({
  name: 'SaveWEBM',
  displayName: 'Save WEBM',
  category,
  description: 'Saves images as a WebM film, with the workflow inside.',
  required: {
    images: link('IMAGE', { tooltip: 'The frames; VP9 keeps their alpha.' }),
    filename_prefix: string({ default: 'ComfyUI', ...prefix }),
    codec: combo(['vp9', 'av1'], { tooltip: 'How frames are encoded.' }),
    fps: float({ default: 24, min: 0.01, max: 1000, step: 0.01, tooltip: 'Frames a second.' }),
    crf: float({
      default: 32,
      min: 0,
      max: 63,
      step: 1,
      tooltip: 'Higher is a smaller file of lower quality.',
    }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images', tooltip: 'The images, as they came.' }],
  outputNode: true,
  async run({ images, filename_prefix, codec, fps, crf }, context) {
    const [count, height, width] = images.shape as readonly [number, number, number, number];
    if (count === 0) throw new RangeError('there is no image in the batch');
    const series = await openSeries('output', context.folders.output, filename_prefix, { width, height });
    const name = { counter: series.counter, batch: 0, extension: '.webm' };
    const { file } = await saveWritten(series, name, (path) =>
      writeWebm(path, images, { codec, fps, crf }, context),
    );
    return { outputs: [images], ui: shown(file) };
  },
});
