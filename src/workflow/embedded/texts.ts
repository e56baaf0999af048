/** Texts that a picture, film or sound carries beside what it shows. */
import { addFlacTexts, addId3Texts, addOggTexts, isFlac, isId3, isOgg } from './audio.js';
import type { Bytes, Texts } from './bytes.js';
import { addIsobmffTexts, isIsobmff } from './isobmff.js';
import { addMatroskaTexts, isMatroska } from './matroska.js';
import { addPngTexts, isPng } from './png.js';
import { addGifTexts, addJpegTexts, addWebpTexts, isGif, isJpeg, isWebp } from './raster.js';

interface Kind {
  readonly name: string;
  readonly is: (head: Buffer) => boolean;
  readonly add: (bytes: Bytes, texts: Texts) => void;
}

const KINDS: readonly Kind[] = [
  { name: 'PNG picture', is: isPng, add: addPngTexts },
  { name: 'WebP picture', is: isWebp, add: addWebpTexts },
  { name: 'JPEG picture', is: isJpeg, add: addJpegTexts },
  { name: 'GIF picture', is: isGif, add: addGifTexts },
  { name: 'MP4 film or AVIF picture', is: isIsobmff, add: addIsobmffTexts },
  { name: 'WebM or Matroska film', is: isMatroska, add: addMatroskaTexts },
  { name: 'FLAC sound', is: isFlac, add: addFlacTexts },
  { name: 'Ogg sound', is: isOgg, add: addOggTexts },
  { name: 'MP3 sound', is: isId3, add: addId3Texts },
];

export interface Carried {
  /** What kind of file it is, for a message. */
  readonly kind: string;
  /** By keys in small letters. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Undefined for a file that is none of the kinds. A damaged one has the texts that can be read. */
export function carriedTexts(bytes: Bytes): Carried | undefined {
  const head = bytes.read(0, 16);
  const kind = head.length < 16 ? undefined : KINDS.find(({ is }) => is(head));
  if (kind === undefined) return undefined;
  const texts: Texts = new Map();
  kind.add(bytes, texts);
  return { kind: kind.name, texts };
}
