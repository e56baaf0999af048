/** What a video file holds, as ffprobe says. */
import type { FfprobeData, FfprobeStream } from 'fluent-ffmpeg';
import { ffprobe, HOW_TO_INSTALL } from './ffmpeg.js';
import { VideoError } from './video-error.js';
import { parseRational, valueOf, type Rational } from './rational.js';

/** How pixels stand for colours; undefined where the file doesn't say. ffmpeg's names. */
export interface ColourTags {
  readonly matrix?: string;
  readonly range?: 'tv' | 'pc';
  readonly primaries?: string;
  readonly transfer?: string;
}

export interface SideStream {
  /** ffmpeg's index in the file. */
  readonly index: number;
  readonly codec: string;
}

export interface AudioStream extends SideStream {
  /** Players take it where nobody chooses. */
  readonly isDefault: boolean;
  /** Hertz. */
  readonly sampleRate: number;
  readonly channels: number;
}

export interface VideoInfo {
  readonly path: string;
  /** ffmpeg's names of the container; some forms have several: `mov`, `mp4`, `m4a` and others. */
  readonly containers: readonly string[];
  /** ffmpeg's index of the video stream in the file. */
  readonly index: number;
  readonly codec: string;
  /** Pixels of a frame as it is stored. */
  readonly stored: { readonly width: number; readonly height: number };
  /** Pixels of a frame as it is shown: turned by `rotation`. */
  readonly width: number;
  readonly height: number;
  /** Degrees, counter-clockwise, by which a player turns the frames: 0, 90, −90 or 180; as ffprobe's `rotation`. */
  readonly rotation: number;
  /** The frames are mirrored, or turned by something else than quarters, when shown. */
  readonly mirrored: boolean;
  /** Frames a second, on average. */
  readonly frameRate: Rational;
  /** The rate on whose grid the timestamps lie, as far as ffmpeg can tell. */
  readonly gridRate: Rational;
  /** Frames a second where each is shown as long as the others, as far as the file's index says. */
  readonly constantRate?: Rational;
  readonly timeBase: Rational;
  /** Seconds; 0 where nobody knows. */
  readonly duration: number;
  /** The same of the whole file, sound included. */
  readonly fileDuration: number;
  /** When the stream ends in units of the time base, counted from its first frame; undefined where nobody knows. */
  readonly durationTicks?: number;
  /** As the file says, or as duration and rate give; 0 where nobody knows. */
  readonly frames: number;
  /** Of a pixel's channel. */
  readonly bits: number;
  readonly alpha: boolean;
  /** A channel has more than 8 bits, or is a number with a fraction. */
  readonly deep: boolean;
  /** ffmpeg's name of how pixels are stored: `yuv420p`. */
  readonly pixels: string;
  /** Where the colours of half the resolution lie, as ffmpeg names it: `left`; undefined where the file doesn't say. */
  readonly chromaLocation?: string;
  /** An AVIF picture or animation, whose chroma lies in the middle of its pixels. */
  readonly avif: boolean;
  /** The stream whose greys are this one's alpha, as in AVIF. */
  readonly alphaIndex?: number;
  readonly colour: ColourTags;
  readonly sampleAspect?: Rational;
  readonly audio: readonly AudioStream[];
  readonly subtitles: readonly SideStream[];
}

/** Rejects with `VideoError` for a file that ffmpeg can't read or that has no video in it. */
export async function probeVideo(path: string): Promise<VideoInfo> {
  return describe(path, await probe(path, 'a video'));
}

export type SoundInfo = Pick<VideoInfo, 'path' | 'audio'>;

/** Rejects with `VideoError` for a file that ffmpeg can't read or that has no sound in it. */
export async function probeSound(path: string): Promise<SoundInfo> {
  const audio = audioStreams((await probe(path, 'sound')).streams);
  if (audio.length === 0) throw new VideoError(`${path} holds no sound`);
  return { path, audio };
}

async function probe(path: string, what: string): Promise<FfprobeData> {
  try {
    return await ffprobe(path);
  } catch (error) {
    if (!(error instanceof VideoError) || error.message === HOW_TO_INSTALL) throw error;
    throw new VideoError(`${path} can't be read as ${what}: ${error.message}`, { cause: error });
  }
}

function describe(path: string, { streams, format }: FfprobeData): VideoInfo {
  const video = streams.find(
    (stream) => stream.codec_type === 'video' && stream.disposition?.['attached_pic'] !== 1,
  );
  if (video === undefined) throw new VideoError(`${path} holds no video`);
  const [width, height] = [number(video, 'width'), number(video, 'height')];
  const timeBase = parseRational(video.time_base);
  if (width < 1 || height < 1 || timeBase === undefined) {
    throw new VideoError(`${path}: the size of its frames is unknown; the file is damaged or cut off`);
  }
  const frameRate = parseRational(video.avg_frame_rate) ??
    parseRational(video.r_frame_rate) ?? { num: 25, den: 1 };
  const duration = number(video, 'duration') || Number(format.duration) || 0;
  const durationTicks = number(video, 'duration_ts');
  const degrees = number(video, 'rotation');
  const rotation = [0, 90, -90, 180].includes(degrees) ? degrees : degrees === -180 ? 180 : 0;
  const sampleAspect = parseRational(video.sample_aspect_ratio);
  const turned = Math.abs(rotation) === 90;
  return {
    path,
    containers: (format.format_name ?? '').split(','),
    index: video.index,
    codec: field(video, 'codec_name'),
    stored: { width, height },
    width: turned ? height : width,
    height: turned ? width : height,
    rotation,
    mirrored: degrees !== rotation && degrees !== -180,
    frameRate,
    gridRate: parseRational(video.r_frame_rate) ?? frameRate,
    ...constantRate(video),
    timeBase,
    duration,
    fileDuration: Number(format.duration) || duration,
    ...(durationTicks > 0 && { durationTicks }),
    frames: number(video, 'nb_frames') || Math.round(duration * valueOf(frameRate)),
    ...pixelFormat(field(video, 'pix_fmt')),
    pixels: field(video, 'pix_fmt'),
    ...chromaLocation(field(video, 'chroma_location')),
    avif: isAvif(format),
    ...(isAvif(format) && alphaStream(streams, video)),
    colour: colourOf(video),
    ...(sampleAspect !== undefined && valueOf(sampleAspect) !== 1 && { sampleAspect }),
    audio: audioStreams(streams),
    subtitles: streams.filter((stream) => stream.codec_type === 'subtitle').map(sideStream),
  };
}

function chromaLocation(told: string): { readonly chromaLocation?: string } {
  return ['', 'unspecified'].includes(told) ? {} : { chromaLocation: told };
}

/** The grid's rate, where there are as many frames as that. */
function constantRate(video: FfprobeStream): { readonly constantRate?: Rational } {
  const [average, grid] = [parseRational(video.avg_frame_rate), parseRational(video.r_frame_rate)];
  if (average === undefined || grid === undefined) return {};
  return Math.abs(valueOf(average) / valueOf(grid) - 1) < 1e-3 ? { constantRate: grid } : {};
}

function audioStreams(streams: readonly FfprobeStream[]): AudioStream[] {
  return streams
    .filter((stream) => stream.codec_type === 'audio')
    .map((stream) => ({
      ...sideStream(stream),
      isDefault: stream.disposition?.['default'] === 1,
      sampleRate: number(stream, 'sample_rate'),
      channels: number(stream, 'channels'),
    }));
}

function sideStream(stream: FfprobeStream): SideStream {
  return { index: stream.index, codec: field(stream, 'codec_name') };
}

function isAvif(format: FfprobeData['format']): boolean {
  const brand = format.tags?.['major_brand'];
  return brand === 'avis' || brand === 'avif';
}

/** AVIF's second picture of the same size and length, which is grey. */
function alphaStream(
  streams: readonly FfprobeStream[],
  video: FfprobeStream,
): { readonly alphaIndex?: number } {
  const alpha = streams.find(
    (stream) =>
      stream !== video &&
      stream.codec_type === 'video' &&
      /^gray/.test(field(stream, 'pix_fmt')) &&
      stream.width === video.width &&
      stream.height === video.height,
  );
  return alpha === undefined ? {} : { alphaIndex: alpha.index };
}

/** `yuv420p10le` has 10 bits, `rgb48le` 16, `yuv420p` 8. */
function pixelFormat(name: string): Pick<VideoInfo, 'bits' | 'alpha' | 'deep'> {
  const depth = /(?:p|gray|gbrap?|y|p0|p2|p4)(9|10|12|14|16)(?:le|be)?$/.exec(name)?.[1];
  const wide = /^(?:rgb48|bgr48|rgba64|bgra64|ya16)/.test(name);
  const alpha = /^(?:yuva|rgba|bgra|argb|abgr|gbrap|ya\d|pal8)/.test(name);
  const bits = depth === undefined ? (wide ? 16 : 8) : Number(depth);
  return { bits, alpha, deep: bits > 8 || /f(?:16|32)(?:le|be)$/.test(name) };
}

function colourOf(stream: FfprobeStream): ColourTags {
  const known = (name: string) => {
    const value = field(stream, name);
    return ['', 'unknown', 'unspecified', 'N/A', 'reserved'].includes(value) ? undefined : value;
  };
  const [matrix, range] = [known('color_space'), known('color_range')];
  const [primaries, transfer] = [known('color_primaries'), known('color_transfer')];
  return {
    ...(matrix !== undefined && { matrix }),
    ...((range === 'tv' || range === 'pc') && { range }),
    ...(primaries !== undefined && { primaries }),
    ...(transfer !== undefined && { transfer }),
  };
}

/** Numbers come as such or as texts, negative ones always as texts. */
function field(stream: FfprobeStream, name: string): string {
  const value: unknown = stream[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function number(stream: FfprobeStream, name: string): number {
  const value = Number(field(stream, name));
  return Number.isFinite(value) ? value : 0;
}
