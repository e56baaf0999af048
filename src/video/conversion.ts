/** How stored pixels become RGB: ffmpeg's filters for it. */
import { MATRICES, planColour } from './colour.js';
import type { FrameFormat } from './frames.js';
import type { VideoInfo } from './video-info.js';

/**
 * `accurate` as players show a film; `fast` the same as ffmpeg's programs do it by themselves; `pyav` bit for bit as ComfyUI's
 * VIDEO nodes get their frames from PyAV 18 (FFmpeg 8), in the format that `pyavFormat` says.
 */
export type ColourConversion = 'accurate' | 'fast' | 'pyav';

/** What ComfyUI asks PyAV for (comfy_api/latest/_input_impl/video_types.py): floats, unless a film has all 256 levels. */
export function pyavFormat({ pixels }: VideoInfo): FrameFormat {
  return WHOLE_RANGE.has(pixels) ? 'rgb24' : 'gbrpf32le';
}

const WHOLE_RANGE = new Set(['yuvj420p', 'yuvj422p', 'yuvj444p', 'rgb24', 'rgba', 'pal8']);

/** Places of colours of half the resolution, in 256ths of a pixel. FFmpeg 8 heeds what the file says of it, earlier ones don't. */
const CHROMA_PLACES: Readonly<Record<string, readonly [across: number, down: number]>> = {
  left: [0, 128],
  center: [128, 128],
  topleft: [0, 0],
  top: [128, 0],
  bottomleft: [0, 256],
  bottom: [128, 256],
};

/** Filters from a film's stored frames to upright ones of a format. */
export function conversionFilters(
  info: VideoInfo,
  format: FrameFormat,
  conversion: ColourConversion,
): string[] {
  return conversion === 'pyav' ? pyavFilters(info, format) : playerFilters(info, format, conversion);
}

function playerFilters(info: VideoInfo, format: FrameFormat, conversion: 'accurate' | 'fast'): string[] {
  const { matrix, range } = planColour(info, info.stored);
  const flags = conversion === 'fast' ? 'bicubic' : 'bicubic+accurate_rnd+full_chroma_int';
  const colours = `in_color_matrix=${matrix}:in_range=${range}`;
  return [`scale=${info.width}:${info.height}:${colours}:flags=${flags}`, `format=${format}`];
}

/** Frames are turned after the conversion, as ComfyUI turns arrays. */
export function inputOptions(conversion: ColourConversion): readonly string[] {
  return conversion === 'pyav' ? ['-noautorotate'] : [];
}

const TURNS: Readonly<Record<number, readonly string[]>> = {
  90: ['transpose=cclock'],
  [-90]: ['transpose=clock'],
  180: ['hflip', 'vflip'],
};

/** What isn't tagged is BT.601. Widths are filled up to whole blocks, as ComfyUI does it; the frames are cut afterwards. */
function pyavFilters(info: VideoInfo, format: FrameFormat): string[] {
  const { colour, chromaLocation, rotation } = info;
  const { width, height } = info.stored;
  const [across, down] = CHROMA_PLACES[chromaLocation ?? ''] ?? [];
  const place = across === undefined ? [] : [`in_h_chr_pos=${across}`, `in_v_chr_pos=${down}`];
  const matrix = MATRICES[colour.matrix ?? ''] ?? 'bt601';
  const scale = `scale=${[...place, `in_color_matrix=${matrix}`, 'flags=bilinear'].join(':')}`;
  const turn = TURNS[rotation] ?? [];
  if (format !== 'gbrpf32le' || width % 32 === 0) return [scale, `format=${format}`, ...turn];
  const [right, bottom] = [-width & 31, -height & 31];
  return [
    `pad=${width + right}:${height + bottom}:0:0`,
    `fillborders=right=${right}:bottom=${bottom}:mode=smear`,
    scale,
    `format=${format}`,
    `crop=${width}:${height}:0:0`,
    ...turn,
  ];
}
