/** Which files are which, by extension: what Python's `mimetypes` says, with the tables of a usual system. */
import { extname } from 'node:path';

const FILMS = new Set(
  '.3gp .3g2 .avi .flv .m1v .m4v .mkv .mov .movie .mp4 .mpa .mpe .mpeg .mpg .mts .ogv .qt .ts .webm .wmv'.split(
    ' ',
  ),
);
const SOUNDS = new Set(
  '.3gp .3g2 .aac .aif .aifc .aiff .au .flac .m4a .mka .mp2 .mp3 .oga .ogg .opus .ra .snd .spx .wav .weba .wma'.split(
    ' ',
  ),
);

export function isFilmName(name: string): boolean {
  return FILMS.has(extname(name).toLowerCase());
}

export function isSoundName(name: string): boolean {
  return SOUNDS.has(extname(name).toLowerCase());
}
