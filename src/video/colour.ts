/** Which colours YUV pixels stand for, so that frames go to RGB and back without a shift. */
import type { ColourTags, VideoInfo } from './video-info.js';

/** ffmpeg's `scale` filter's names of matrices, by the tag's. */
export const MATRICES: Readonly<Record<string, string>> = {
  bt709: 'bt709',
  bt470bg: 'bt601',
  smpte170m: 'bt601',
  fcc: 'fcc',
  smpte240m: 'smpte240m',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
};

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The tag of a matrix that nobody wrote down. Players take standard definition for BT.601 and anything larger for BT.709. */
export function guessedMatrix({ width, height }: Size): string {
  return Math.min(width, height) > 576 ? 'bt709' : 'smpte170m';
}

/** How a video's frames are turned into RGB, and frames of its successor back. */
export interface ColourPlan {
  /** `scale` filter's names. */
  readonly matrix: string;
  readonly range: 'tv' | 'pc';
  /** What the new video says of itself. */
  readonly tags: ColourTags;
}

/**
 * The same colours in a video of another size. What the source doesn't say stays unsaid, but for the matrix where a player would
 * guess another one at the new size.
 */
export function planColour(source: Pick<VideoInfo, 'colour' | 'stored'>, target: Size): ColourPlan {
  const { colour, stored } = source;
  // RGB has no matrix to keep.
  const given = colour.matrix === 'gbr' ? undefined : colour.matrix;
  const guess = guessedMatrix(stored);
  const matrix = given ?? guess;
  const tagged = given ?? (guessedMatrix(target) === guess ? undefined : guess);
  const { range = 'tv', primaries, transfer } = colour;
  const kept = colour.matrix === 'gbr' ? 'tv' : range;
  return {
    matrix: MATRICES[matrix] ?? MATRICES[guess]!,
    range: kept,
    tags: {
      ...(tagged !== undefined && { matrix: tagged }),
      ...(colour.range !== undefined && { range: kept }),
      ...(primaries !== undefined && { primaries }),
      ...(transfer !== undefined && { transfer }),
    },
  };
}

/** Options of an encoder that write the tags. */
export function tagOptions({ matrix, range, primaries, transfer }: ColourTags): string[] {
  return [
    ...(matrix === undefined ? [] : ['-colorspace', matrix]),
    ...(range === undefined ? [] : ['-color_range', range]),
    ...(primaries === undefined ? [] : ['-color_primaries', primaries]),
    ...(transfer === undefined ? [] : ['-color_trc', transfer]),
  ];
}
