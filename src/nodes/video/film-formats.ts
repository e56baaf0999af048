/** What VHS_VideoCombine writes: ffmpeg's options for each format, and the inputs that a format adds (VideoHelperSuite, video_formats/). */
import { nearestHint } from '../../nearest-names.js';
import { VideoError } from '../../video/video-error.js';

/** How a film is encoded. */
export interface FilmEncoding {
  readonly extension: string;
  /** Each frame is a file of its own. */
  readonly sequence?: boolean;
  /** 16 bits a channel go to ffmpeg instead of 8. */
  readonly deep?: boolean;
  /** Colours are declared, and converted to, BT.709 video's; left to ffmpeg otherwise. */
  readonly bt709?: boolean;
  readonly filter?: string;
  readonly encoder: readonly string[];
  /** How sound is encoded; Opus, as VideoHelperSuite does, where the format doesn't say. */
  readonly audio?: readonly string[];
  /** The workflow goes into the file. */
  readonly saveMetadata: boolean;
  /** The film ends with the sound. */
  readonly trimToAudio: boolean;
}

/** The inputs that depend on the format, as the workflow has them. */
export class FormatInputs {
  constructor(
    private readonly format: string,
    private readonly given: Readonly<Record<string, unknown>>,
  ) {}

  choice<Option extends string>(
    name: string,
    options: readonly Option[],
    preset: Option = options[0]!,
  ): Option {
    const given = this.given[name] ?? preset;
    const value = typeof given === 'string' ? given : JSON.stringify(given);
    const found = options.find((option) => option === value);
    if (found !== undefined) return found;
    const hint = nearestHint(value, options);
    throw this.refusal(name, value, `one of ${options.join(', ')}${hint}`);
  }

  int(name: string, preset: number, min: number, max: number): number {
    const value = Number(this.given[name] ?? preset);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw this.refusal(name, this.given[name], `a whole number from ${min} to ${max}`);
  }

  flag(name: string, preset: boolean): boolean {
    const value = this.given[name] ?? preset;
    if (typeof value === 'boolean') return value;
    throw this.refusal(name, value, 'true or false');
  }

  private refusal(name: string, value: unknown, expected: string): VideoError {
    return new VideoError(`${name} is ${JSON.stringify(value)}; ${this.format} takes ${expected}`);
  }
}

type FormatOf = (inputs: FormatInputs, alpha: boolean) => FilmEncoding;

const AAC = ['-c:a', 'aac', '-movflags', 'use_metadata_tags'];
const YUV = ['yuv420p', 'yuv420p10le'] as const;

function nvenc(encoder: readonly string[]): FormatOf {
  return (inputs) => {
    const bitrate = inputs.int('bitrate', 10, 1, 999);
    const unit = inputs.flag('megabit', true) ? 'M' : 'K';
    return {
      extension: 'mp4',
      bt709: true,
      encoder: [
        ...encoder,
        ...['-pix_fmt', inputs.choice('pix_fmt', ['yuv420p', 'p010le'])],
        ...['-b:v', `${bitrate}${unit}`],
      ],
      audio: AAC,
      saveMetadata: inputs.flag('save_metadata', true),
      trimToAudio: false,
    };
  };
}

const PLAIN = { saveMetadata: false, trimToAudio: false } as const;

const DITHERS = [
  ...[
    'bayer',
    'heckbert',
    'floyd_steinberg',
    'sierra2',
    'sierra2_4a',
    'sierra3',
    'burkes',
    'atkinson',
    'none',
  ],
] as const;

/** FFV1's pixel formats, from the default on. */
const FFV1_PIXELS = [
  ...['rgba64le', 'bgra'],
  ...['', '10le', '12le', '14le', '16le'].flatMap((depth) =>
    ['yuv420p', 'yuv422p', 'yuv444p'].map((form) => `${form}${depth}`),
  ),
  ...['yuva420p', 'yuva422p', 'yuva444p', 'gray', 'gray10le', 'gray12le', 'gray16le'],
];

const FILM_FORMATS: Readonly<Record<string, FormatOf>> = {
  'video/16bit-png': () => ({
    ...PLAIN,
    extension: 'png',
    sequence: true,
    deep: true,
    encoder: ['-pix_fmt', 'rgba64'],
  }),
  'video/8bit-png': () => ({ ...PLAIN, extension: 'png', sequence: true, encoder: [] }),
  'video/ProRes': (inputs, alpha) => {
    const profile = inputs.choice(
      'profile',
      ['lt', 'standard', 'hq', '4444', '4444xq', '1', '2', '3', '4'],
      'hq',
    );
    const pixels = profile.startsWith('4') ? ['-pix_fmt', alpha ? 'yuva444p10le' : 'yuv444p10le'] : [];
    return {
      ...PLAIN,
      extension: 'mov',
      bt709: true,
      encoder: ['-c:v', 'prores_ks', '-profile:v', profile, ...pixels],
      audio: ['-c:a', 'pcm_s16le'],
    };
  },
  'video/av1-webm': (inputs) => ({
    extension: 'webm',
    deep: inputs.choice('input_color_depth', ['8bit', '16bit']) === '16bit',
    bt709: true,
    encoder: [
      ...['-c:v', 'libsvtav1', '-pix_fmt', inputs.choice('pix_fmt', ['yuv420p10le', 'yuv420p'])],
      ...['-crf', String(inputs.int('crf', 23, 0, 100))],
    ],
    audio: ['-c:a', 'libopus'],
    saveMetadata: inputs.flag('save_metadata', true),
    trimToAudio: false,
  }),
  'video/ffmpeg-gif': (inputs) => ({
    ...PLAIN,
    extension: 'gif',
    filter:
      'split[a][b];[a]palettegen=reserve_transparent=on:transparency_color=ffffff[p];' +
      `[b][p]paletteuse=dither=${inputs.choice('dither', DITHERS, 'sierra2_4a')}`,
    encoder: [],
  }),
  'video/ffv1-mkv': (inputs) => ({
    extension: 'mkv',
    deep: true,
    encoder: [
      ...['-c:v', 'ffv1', '-level', inputs.choice('level', ['0', '1', '3'], '3')],
      ...['-coder', inputs.choice('coder', ['0', '1', '2'], '1')],
      ...['-context', inputs.choice('context', ['0', '1'], '1')],
      ...['-g', String(inputs.int('gop_size', 1, 1, 300))],
      ...['-slices', inputs.choice('slices', ['4', '6', '9', '12', '16', '20', '24', '30'], '16')],
      ...['-slicecrc', inputs.choice('slicecrc', ['0', '1'], '1')],
      ...['-pix_fmt', inputs.choice('pix_fmt', FFV1_PIXELS)],
    ],
    audio: ['-c:a', 'flac'],
    saveMetadata: inputs.flag('save_metadata', true),
    trimToAudio: inputs.flag('trim_to_audio', false),
  }),
  'video/h264-mp4': (inputs) => ({
    extension: 'mp4',
    bt709: true,
    encoder: [
      ...['-c:v', 'libx264', '-pix_fmt', inputs.choice('pix_fmt', YUV)],
      ...['-crf', String(inputs.int('crf', 19, 0, 100))],
    ],
    audio: AAC,
    saveMetadata: inputs.flag('save_metadata', true),
    trimToAudio: inputs.flag('trim_to_audio', false),
  }),
  'video/h265-mp4': (inputs) => ({
    extension: 'mp4',
    bt709: true,
    encoder: [
      ...[
        '-c:v',
        'libx265',
        '-vtag',
        'hvc1',
        '-pix_fmt',
        inputs.choice('pix_fmt', ['yuv420p10le', 'yuv420p']),
      ],
      ...[
        '-crf',
        String(inputs.int('crf', 22, 0, 100)),
        '-preset',
        'medium',
        '-x265-params',
        'log-level=error',
      ],
    ],
    audio: AAC,
    saveMetadata: inputs.flag('save_metadata', true),
    trimToAudio: false,
  }),
  'video/nvenc_av1-mp4': nvenc(['-c:v', 'av1_nvenc']),
  'video/nvenc_h264-mp4': nvenc(['-c:v', 'h264_nvenc']),
  'video/nvenc_hevc-mp4': nvenc(['-c:v', 'hevc_nvenc', '-vtag', 'hvc1']),
  'video/webm': (inputs) => ({
    extension: 'webm',
    bt709: true,
    encoder: [
      ...['-pix_fmt', inputs.choice('pix_fmt', ['yuv420p', 'yuva420p'])],
      ...['-crf', String(inputs.int('crf', 20, 0, 100)), '-b:v', '0'],
    ],
    audio: ['-c:a', 'libvorbis'],
    saveMetadata: inputs.flag('save_metadata', true),
    trimToAudio: inputs.flag('trim_to_audio', false),
  }),
};

export const PICTURE_FORMATS = ['image/gif', 'image/webp'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** Animated pictures first, then films. */
export const COMBINE_FORMATS: readonly string[] = [...PICTURE_FORMATS, ...Object.keys(FILM_FORMATS)];

export function isPictureFormat(format: string): format is PictureFormat {
  return PICTURE_FORMATS.some((name) => name === format);
}

/** Throws `VideoError` for an input that the format doesn't take. */
export function filmEncoding(
  format: string,
  given: Readonly<Record<string, unknown>>,
  alpha: boolean,
): FilmEncoding {
  const of = FILM_FORMATS[format];
  if (of === undefined) throw new VideoError(`there is no format ${JSON.stringify(format)}`);
  return of(new FormatInputs(format, given), alpha);
}
