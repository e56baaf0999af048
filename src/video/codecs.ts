/** What films are written as: by the output's extension, or by `--codec`. */
import { extname } from 'node:path';
import { nearestHint } from '../nearest-names.js';
import { VideoError } from './video-error.js';
import type { RawFormat } from './nut.js';
import { valueOf, type Rational } from './rational.js';

export const CODECS = ['h264', 'h265', 'prores', 'vp9'] as const;
export type Codec = (typeof CODECS)[number];

export interface Container {
  readonly extension: string;
  /** The first one is taken where nobody says. */
  readonly codecs: readonly Codec[];
  /** Sound that can be copied into it as it is; what else there is becomes `audioEncoder`'s. */
  readonly audio: ReadonlySet<string> | 'any';
  readonly audioEncoder: readonly string[];
  /** Text subtitles become this; others are copied if listed. */
  readonly subtitles: { readonly text: string; readonly copied: ReadonlySet<string> };
  /** A player is told to turn the frames; in others they are stored upright. */
  readonly keepsRotation: boolean;
  readonly options: readonly string[];
}

const MP4_AUDIO = new Set(['aac', 'mp3', 'ac3', 'eac3', 'alac', 'opus', 'mp2']);
const PCM = ['s16le', 's24le', 's32le', 'f32le', 's16be', 's24be', 's32be'].map((form) => `pcm_${form}`);

const CONTAINERS: readonly Container[] = [
  {
    extension: '.mp4',
    codecs: ['h264', 'h265', 'vp9'],
    audio: MP4_AUDIO,
    audioEncoder: ['aac', '192k'],
    subtitles: { text: 'mov_text', copied: new Set(['mov_text']) },
    keepsRotation: true,
    options: ['-movflags', '+faststart'],
  },
  {
    extension: '.mov',
    codecs: ['prores', 'h264', 'h265'],
    audio: new Set([...['aac', 'mp3', 'ac3', 'eac3', 'alac', 'mp2'], ...PCM]),
    audioEncoder: ['aac', '192k'],
    subtitles: { text: 'mov_text', copied: new Set(['mov_text']) },
    keepsRotation: true,
    options: ['-movflags', '+faststart'],
  },
  {
    extension: '.mkv',
    codecs: ['h264', 'h265', 'vp9', 'prores'],
    audio: 'any',
    audioEncoder: ['libopus', '160k'],
    subtitles: {
      text: 'srt',
      copied: new Set(['subrip', 'ass', 'hdmv_pgs_subtitle', 'dvd_subtitle', 'webvtt']),
    },
    keepsRotation: false,
    options: [],
  },
  {
    extension: '.webm',
    codecs: ['vp9'],
    audio: new Set(['opus', 'vorbis']),
    audioEncoder: ['libopus', '160k'],
    subtitles: { text: 'webvtt', copied: new Set(['webvtt']) },
    keepsRotation: false,
    options: [],
  },
];

/** Subtitles that are texts, so that one form can become another; the rest are pictures. */
export const TEXT_SUBTITLES: ReadonlySet<string> = new Set([
  'subrip',
  'ass',
  'ssa',
  'mov_text',
  'webvtt',
  'text',
]);

const EXTENSIONS: readonly string[] = CONTAINERS.map(({ extension }) => extension);

/** Throws `VideoError` for an extension or a codec that can't be written. */
export function chooseOutput(
  path: string,
  asked: string | undefined,
): { readonly container: Container; readonly codec: Codec } {
  const extension = extname(path).toLowerCase();
  const container = CONTAINERS.find((one) => one.extension === extension);
  if (container === undefined) {
    throw new VideoError(
      `films can't be written as ${extension === '' ? 'a file without extension' : extension}; use ${EXTENSIONS.join(', ')}`,
    );
  }
  if (asked === undefined) return { container, codec: container.codecs[0]! };
  const codec = CODECS.find((name) => name === asked.toLowerCase());
  if (codec === undefined) {
    throw new VideoError(
      `there is no codec ${JSON.stringify(asked)}: use ${CODECS.join(', ')}${nearestHint(asked, CODECS)}`,
    );
  }
  if (!container.codecs.includes(codec)) {
    throw new VideoError(`${extension} takes ${container.codecs.join(', ')}, not ${codec}`);
  }
  return { container, codec };
}

export interface EncoderSettings {
  readonly codec: Codec;
  /** Constant quality, lower is better; the codec's default where left out. ProRes has none. */
  readonly crf?: number;
  /** More than 8 bits a channel, where the codec is played with as many. */
  readonly deep: boolean;
  readonly frameRate: Rational;
}

/** ffmpeg's names of what writes films and their sound. */
export const ENCODERS = {
  h264: 'libx264',
  h265: 'libx265',
  prores: 'prores_ks',
  vp9: 'libvpx-vp9',
} as const satisfies Readonly<Record<Codec, string>>;

/** Of sound that can't be copied. */
export const AUDIO_ENCODERS: readonly string[] = [
  ...new Set(CONTAINERS.map(({ audioEncoder }) => audioEncoder[0]!)),
];

/** Frames' form on their way to the encoder. */
export function rawFormat({ deep }: Pick<EncoderSettings, 'deep'>): RawFormat {
  return deep ? 'rgb48le' : 'rgb24';
}

export function pixelFormat({ codec, deep }: Pick<EncoderSettings, 'codec' | 'deep'>): string {
  switch (codec) {
    // Few players decode H.264 of 10 bits.
    case 'h264':
      return 'yuv420p';
    case 'prores':
      return 'yuv422p10le';
    default:
      return deep ? 'yuv420p10le' : 'yuv420p';
  }
}

/** The encoder and its settings. Rates are said explicitly, for time bases are much finer than they. */
export function encoderOptions(settings: EncoderSettings): readonly string[] {
  const { codec, crf, frameRate } = settings;
  const rate = valueOf(frameRate).toFixed(5);
  switch (codec) {
    case 'h264':
      return [
        '-c:v',
        ENCODERS.h264,
        '-preset',
        'medium',
        '-crf',
        String(crf ?? 18),
        '-x264-params',
        `fps=${rate}`,
      ];
    case 'h265':
      return [
        ...['-c:v', ENCODERS.h265, '-preset', 'medium', '-crf', String(crf ?? 20), '-tag:v', 'hvc1'],
        ...['-x265-params', `fps=${rate}:log-level=error`],
      ];
    case 'vp9':
      return [
        ...[
          '-c:v',
          ENCODERS.vp9,
          '-crf',
          String(crf ?? 24),
          '-b:v',
          '0',
          '-deadline',
          'good',
          '-cpu-used',
          '4',
        ],
        ...['-row-mt', '1'],
      ];
    case 'prores':
      return ['-c:v', ENCODERS.prores, '-profile:v', 'hq', '-vendor', 'apl0'];
  }
}
