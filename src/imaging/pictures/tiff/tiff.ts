/** TIFF pages as Pillow reads them (TiffImagePlugin.py). */
import type { Budget } from '../budget.js';
import { broken, PictureFault } from '../fault.js';
import { PictureError, type Frame } from '../frame.js';
import { turned, xmpOrientation } from '../orientation.js';
import { decodePage } from '../raster.js';
import { readDirectory, readTiffHeader } from './directory.js';
import { layoutOf, RAW, TAG, Tags, type PageLayout } from './layout.js';
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
    const page = { tags, layout, little: header.little, index: frames.length, cut: cut === undefined };
    const read = await readPage(bytes, page, before);
    frames.push(read.frame);
    before = read.samples === undefined ? undefined : { samples: read.samples, layout };
    at = seen.includes(next) ? 0 : next;
  }
  return frames;
}

interface Page {
  readonly tags: Tags;
  readonly layout: PageLayout;
  readonly little: boolean;
  readonly index: number;
  /** Its directory doesn't fit into the file. */
  readonly cut: boolean;
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
  const { tags, layout, little, index, cut } = page;
  const { compression, colours, photometric } = layout;
  if (colours === 'palette' && !tags.has(TAG.colourMap)) throw broken('the TIFF lacks its palette');
  const here = UNPACKED_HERE.includes(compression) && tags.number(TAG.predictor, 1) <= 2 && photometric !== 6;
  if (colours === 'lab' || (compression !== RAW && !here))
    return { frame: await readByLibrary(bytes, layout, index) };
  const canvas =
    before !== undefined && isAlike(layout, before.layout) ? before.samples.slice() : samplesFor(layout);
  const orientation = orientationOf(tags);
  const finish = (samples: Samples, keeps: boolean, stored = layout): ReadPage => {
    const frame = coloursOf(samples, stored, colours === 'palette' ? tags.numbers(TAG.colourMap) : []);
    const shown = turned(frame, orientation);
    return { frame: shown, samples: keeps && shown === frame ? samples : undefined };
  };
  // libtiff doesn't go by a directory that is cut off.
  if (compression !== RAW)
    return finish(cut ? canvas : readPackedStrips(bytes, tags, layout, little, canvas), true);
  const lying =
    tags.has(TAG.orientation) && orientation !== undefined && orientation >= 5 && orientation <= 8;
  const { samples, mapped, layout: stored } = readRawTiles(bytes, tags, layout, little, canvas, lying);
  return finish(samples, !mapped, stored);
}

function isAlike(a: PageLayout, b: PageLayout): boolean {
  const keys = ['width', 'height', 'colours', 'alpha', 'bits', 'format', 'samples'] as const;
  return keys.every((key) => a[key] === b[key]);
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

/** JPEG, fax and other compressions. What can't be unpacked is black. */
async function readByLibrary(bytes: Buffer, { width, height }: PageLayout, index: number): Promise<Frame> {
  try {
    return await decodePage(bytes, index);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    const rgba = new Uint8Array(width * height * 4);
    for (let at = 3; at < rgba.length; at += 4) rgba[at] = 255;
    return { width, height, rgba, alpha: 'none' };
  }
}
