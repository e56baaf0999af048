/** TIFF pages as Pillow reads them (TiffImagePlugin.py). */
import type { Budget } from '../budget.js';
import { broken, PictureFault } from '../fault.js';
import { PictureError, type Frame } from '../frame.js';
import { turned, xmpOrientation } from '../orientation.js';
import { decodePage } from '../raster.js';
import { readDirectory, readTiffHeader, type TiffHeader } from './directory.js';
import { layoutOf, RAW, TAG, Tags, type PageLayout } from './layout.js';
import { piecesOf, type Pieces } from './libtiff-directory.js';
import { readPackedStrips } from './packed-strips.js';
import { readRawTiles } from './raw-tiles.js';
import { coloursOf, samplesFor, type Samples } from './unpack.js';
import { UNPACKED_HERE } from './unpacked-strips.js';

/** Every page, upright. Rejects with `PictureError` where Pillow gives up. */
export async function decodeTiff(bytes: Buffer, budget: Budget): Promise<Frame[]> {
  const header = readTiffHeader(bytes);
  const seen: number[] = [];
  const frames: Frame[] = [];
  // A page that is cut off leads nowhere, or where its forerunner led.
  let followed = header.first;
  let before: Drawn | undefined;
  for (let at = header.first; at !== 0;) {
    seen.push(at);
    const { tags: values, next: cut } = readDirectory(bytes, header, at);
    const next = cut ?? followed;
    followed = next;
    const tags = new Tags(values);
    const layout = layoutOf(tags, header.little);
    await budget.spend(layout.width, layout.height);
    const page = { tags, layout, header, at, index: frames.length };
    const read = await readPage(bytes, page, before);
    frames.push(read.frame);
    before = read.samples === undefined ? undefined : { samples: read.samples, layout };
    at = seen.includes(next) ? 0 : next;
  }
  if (frames.length === 0) throw broken('the TIFF has no pages');
  return frames;
}

interface Page {
  readonly tags: Tags;
  readonly layout: PageLayout;
  readonly header: TiffHeader;
  /** Where its directory stands. */
  readonly at: number;
  readonly index: number;
}

/** A page onto which the next is drawn: what is missing of that shows this one. */
interface Drawn {
  readonly samples: Samples;
  readonly layout: PageLayout;
}

interface ReadPage {
  readonly frame: Frame;
  readonly samples?: Samples | undefined;
}

async function readPage(bytes: Buffer, page: Page, before: Drawn | undefined): Promise<ReadPage> {
  const { tags, layout, header, at, index } = page;
  const { little } = header;
  const { compression, colours, photometric } = layout;
  if (colours === 'palette' && !tags.has(TAG.colourMap)) throw broken('the TIFF lacks its palette');
  const canvas = samplesFor(layout);
  if (before !== undefined && isAlike(layout, before.layout)) canvas.set(before.samples);
  const orientation = orientationOf(tags);
  const finish = (samples: Samples, keeps: boolean, stored = layout): ReadPage => {
    const frame = coloursOf(samples, stored, colours === 'palette' ? tags.numbers(TAG.colourMap) : []);
    // Pillow turns what the next page is drawn onto as well.
    const kept = keeps ? turnedSamples(samples, layout, orientation) : undefined;
    return { frame: turned(frame, orientation), samples: kept };
  };
  const pieces = compression === RAW ? undefined : piecesOf(bytes, header, at, layout);
  if (compression !== RAW && !isThere(pieces, bytes)) return finish(canvas, true);
  const isOther = photometric === 6 || colours === 'lab' || pieces?.predictor === 3;
  if (isOther || (compression !== RAW && !UNPACKED_HERE.includes(compression))) {
    const frame = await readByLibrary(bytes, index);
    return frame === undefined ? finish(canvas, true) : { frame, samples: samplesOf(frame, layout) };
  }
  if (pieces !== undefined) return finish(readPackedStrips(bytes, pieces, layout, little, canvas), true);
  const lying =
    tags.has(TAG.orientation) && orientation !== undefined && orientation >= 5 && orientation <= 8;
  const { samples, mapped, layout: stored } = readRawTiles(bytes, tags, layout, little, canvas, lying);
  return finish(samples, !mapped, stored);
}

/** Whether the first of a page's pieces lies in the file at all. */
function isThere(pieces: Pieces | undefined, bytes: Buffer): pieces is Pieces {
  const [offset = 0, size = 0] = [pieces?.offsets[0], pieces?.sizes[0]];
  return size > 0 && offset + size <= bytes.length;
}

function isAlike(a: PageLayout, b: PageLayout): boolean {
  const keys = ['width', 'height', 'colours', 'alpha', 'samples'] as const;
  return keys.every((key) => a[key] === b[key]) && depthOf(a) === depthOf(b);
}

/** Pillow keeps whole numbers of 32 bits and signed ones of 16 alike. */
function depthOf({ bits, format }: PageLayout): string {
  const isWide = format !== 'float' && (bits === 32 || (bits === 16 && format === 'signed'));
  return isWide ? 'wide' : `${bits} ${format}`;
}

/** Undefined where it stands upright only with its sides changed: it is as large as the next page by chance. */
function turnedSamples(
  samples: Samples,
  { width, height, samples: channels }: PageLayout,
  orientation: number | undefined,
): Samples | undefined {
  if (orientation === undefined || orientation < 2 || orientation > 8) return samples;
  if (orientation >= 5) return undefined;
  const [flipsX, flipsY] = [orientation <= 3, orientation >= 3];
  const result = samples.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((flipsY ? height - 1 - y : y) * width + (flipsX ? width - 1 - x : x)) * channels;
      result.set(samples.subarray(from, from + channels), (y * width + x) * channels);
    }
  }
  return result;
}

function orientationOf(tags: Tags): number | undefined {
  if (tags.has(TAG.orientation)) return numberOrNone(tags);
  const xmp = tags.text(TAG.xmp);
  return xmp === undefined ? undefined : xmpOrientation(xmp);
}

function numberOrNone(tags: Tags): number | undefined {
  try {
    return tags.number(TAG.orientation);
  } catch (error) {
    if (error instanceof PictureFault) return undefined;
    throw error;
  }
}

/** JPEG, fax and other compressions; undefined for what can't be unpacked. */
async function readByLibrary(bytes: Buffer, index: number): Promise<Frame | undefined> {
  try {
    return await decodePage(bytes, index);
  } catch (error) {
    if (error instanceof PictureError) return undefined;
    throw error;
  }
}

/** For the next page to be drawn onto, as far as a library's colours tell. */
function samplesOf({ rgba, width, height }: Frame, layout: PageLayout): Samples | undefined {
  const { samples: channels, bits, colours } = layout;
  const isPlain =
    (bits === 8 && colours === 'rgb' && channels === 3) ||
    (bits <= 8 && colours === 'grey' && channels === 1);
  if (!isPlain || width !== layout.width || height !== layout.height) return undefined;
  const samples = samplesFor(layout);
  for (let at = 0; at < samples.length; at++)
    samples[at] = rgba[Math.floor(at / channels) * 4 + (at % channels)]! >> (8 - bits);
  return samples;
}
