/**
 * A compressed page's directory as libtiff reads it (tif_dirread.c, TIFFReadDirectory), through which Pillow unpacks: of a tag that is
 * there twice it takes the first where Pillow takes the last, and it refuses pages for faults that Pillow passes over.
 */
import { Numbers, rawEntries, UNIT_SIZES, type RawEntry, type TiffHeader } from './directory.js';
import { DEFLATE, LZW, OLD_DEFLATE, TAG, type PageLayout } from './layout.js';

/** Where a page's pieces lie, and what has to be done to their bytes. */
export interface Pieces {
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
  readonly width: number;
  readonly height: number;
  /** Whether pieces at the picture's edge are as large as the others. */
  readonly padded: boolean;
  /** 1: none; 2: differences of whole numbers; 3: of floats' bytes. */
  readonly predictor: number;
  readonly fillOrder: number;
}

/** Types by number, with bytes a value (TIFFDataWidth); absent where it knows none. */
const WIDTHS: Readonly<Record<number, number>> = { ...UNIT_SIZES, 17: 8, 18: 8 };
const SIGNED = [6, 8, 9, 17];
const WHOLE = [1, 3, 4, 16, ...SIGNED];

/** Compressions before which values may be replaced by their differences. */
const PREDICTED: readonly number[] = [LZW, DEFLATE, OLD_DEFLATE];

const PALETTE = 3;

const MAX_ENTRIES = 4096;

/** Tags that have to be one number, where they are there. */
const SINGLE = [
  TAG.width,
  TAG.height,
  TAG.planar,
  TAG.rowsPerStrip,
  TAG.tileWidth,
  TAG.tileHeight,
  TAG.samples,
];
/** Those that may be a number for each sample, all alike: bits, least and greatest value, kind, format. */
const PER_SAMPLE = [TAG.bits, 280, 281, 32996, TAG.sampleFormat];

/**
 * Undefined where libtiff refuses the page, of which Pillow then draws nothing. Opening a file, libtiff reads its first directory,
 * whatever page is asked for.
 */
export function piecesOf(
  bytes: Buffer,
  header: TiffHeader,
  start: number,
  layout: PageLayout,
): Pieces | undefined {
  const first = readingOf(bytes, header, header.first);
  if (first?.grid() === undefined) return undefined;
  return (start === header.first ? first : readingOf(bytes, header, start))?.pieces(layout);
}

function readingOf(bytes: Buffer, header: TiffHeader, start: number): Reading | undefined {
  const { entries, complete } = rawEntries(bytes, header, start);
  if (!complete || entries.length === 0 || entries.length > MAX_ENTRIES) return undefined;
  return new Reading(bytes, header, entries);
}

interface Grid extends Omit<Pieces, 'predictor' | 'fillOrder'> {
  readonly pageWidth: number;
  readonly pageHeight: number;
  readonly samples: number;
  readonly bits: number;
  readonly planar: boolean;
}

class Reading {
  private readonly numbers: Numbers;
  private readonly first = new Map<number, RawEntry>();

  constructor(
    private readonly bytes: Buffer,
    private readonly header: TiffHeader,
    private readonly entries: readonly RawEntry[],
  ) {
    this.numbers = new Numbers(bytes, header.little);
    for (const entry of entries) if (!this.first.has(entry.tag)) this.first.set(entry.tag, entry);
  }

  pieces(layout: PageLayout): Pieces | undefined {
    const grid = this.grid();
    if (grid === undefined) return undefined;
    const { samples, bits, planar } = grid;
    const isAlike =
      this.perSample(TAG.compression, samples) === layout.compression &&
      grid.pageWidth === layout.width &&
      grid.pageHeight === layout.height &&
      planar === layout.planar &&
      bits === layout.bits;
    if (!isAlike) return undefined;
    const predictor = PREDICTED.includes(layout.compression) ? this.optional(TAG.predictor) : 1;
    const isKnown =
      predictor === 1 ||
      (predictor === 2 && [8, 16, 32].includes(bits)) ||
      (predictor === 3 && layout.format === 'float');
    if (!isKnown) return undefined;
    return { ...grid, predictor, fillOrder: this.optional(TAG.fillOrder) === 2 ? 2 : 1 };
  }

  /** Undefined where the directory as such is refused. */
  grid(): Grid | undefined {
    for (const tag of SINGLE) if (this.first.has(tag) && this.single(tag) === undefined) return undefined;
    const samples = this.single(TAG.samples) ?? 1;
    for (const tag of PER_SAMPLE)
      if (this.first.has(tag) && this.perSample(tag, samples) === undefined) return undefined;
    const planar = this.single(TAG.planar) ?? 1;
    const bits = this.perSample(TAG.bits, samples) ?? 1;
    const [pageWidth, pageHeight] = [this.single(TAG.width), this.single(TAG.height)];
    if (!pageWidth || !pageHeight || samples === 0 || ![1, 2].includes(planar)) return undefined;
    if (this.single(TAG.photometric) === PALETTE && bits < 8 && !this.hasPalette(bits)) return undefined;
    const padded = this.first.has(TAG.tileWidth) || this.first.has(TAG.tileHeight);
    const rows = padded
      ? this.single(TAG.tileHeight)
      : Math.min(pageHeight, this.single(TAG.rowsPerStrip) ?? pageHeight);
    const columns = padded ? this.single(TAG.tileWidth) : pageWidth;
    if (!rows || !columns) return undefined;
    const planes = planar === 2 ? samples : 1;
    const count = Math.ceil(pageWidth / columns) * Math.ceil(pageHeight / rows) * planes;
    const offsets = this.list([TAG.stripOffsets, TAG.tileOffsets], count);
    const sizes = offsets && this.sizes(offsets, count, planes, padded);
    if (offsets === undefined || sizes === undefined) return undefined;
    const page = { pageWidth, pageHeight, samples, bits, planar: planar === 2 };
    return { ...page, offsets, sizes, width: columns, height: rows, padded };
  }

  /** Of a single piece, the size may be left out. */
  private sizes(
    offsets: readonly number[],
    count: number,
    planes: number,
    padded: boolean,
  ): readonly number[] | undefined {
    const tags = [TAG.stripByteCounts, TAG.tileByteCounts];
    if (tags.some((tag) => this.first.has(tag))) {
      const sizes = this.list(tags, count);
      return count === 1 && !padded && sizes !== undefined && !sizes[0] && offsets[0] !== 0
        ? this.estimatedSizes(offsets, planes)
        : sizes;
    }
    return count === planes ? this.estimatedSizes(offsets, planes) : undefined;
  }

  /** EstimateStripByteCounts: what header, directory and values leave of the file. */
  private estimatedSizes(offsets: readonly number[], planes: number): readonly number[] | undefined {
    const { big } = this.header;
    const [head, entrySize, placeSize] = big ? [16 + 8 + 8, 20, 8] : [8 + 2 + 4, 12, 4];
    let taken = head + this.entries.length * entrySize;
    for (const { type, length } of this.entries) {
      const width = WIDTHS[type];
      if (width === undefined) return undefined;
      if (width * length > placeSize) taken += width * length;
    }
    const file = this.bytes.length;
    const each = Math.floor((file < taken ? file : file - taken) / planes);
    const last = offsets.at(-1) ?? 0;
    return offsets.map((_, index) =>
      index === offsets.length - 1 && last > file - each ? Math.max(0, file - last) : each,
    );
  }

  private hasPalette(bits: number): boolean {
    const [depth, map] = [this.first.get(TAG.bits), this.first.get(TAG.colourMap)];
    if (depth === undefined || map === undefined || map.length !== 3 << bits) return false;
    // One that comes before the number of bits is not looked at.
    return this.entries.indexOf(depth) < this.entries.indexOf(map) && this.values(map) !== undefined;
  }

  private single(tag: number): number | undefined {
    const entry = this.first.get(tag);
    return entry?.length === 1 ? this.values(entry)?.[0] : undefined;
  }

  /** What only warns where it isn't right. */
  private optional(tag: number): number {
    return this.single(tag) ?? 1;
  }

  private perSample(tag: number, samples: number): number | undefined {
    const entry = this.first.get(tag);
    if (entry?.length !== 1 && (entry?.length ?? 0) < samples) return undefined;
    const values = entry && this.values(entry)?.slice(0, samples);
    return values?.every((value) => value === values[0]) === true ? values[0] : undefined;
  }

  /** A number for each piece, as far as there are some. The last of these tags counts. */
  private list(tags: readonly number[], count: number): readonly number[] | undefined {
    const entry = this.entries.findLast(
      (each) => tags.includes(each.tag) && this.first.get(each.tag) === each,
    );
    if (entry === undefined) return undefined;
    return entry.length === 0 ? [] : this.values(entry, count);
  }

  /** Undefined for what isn't whole, is below 0 or lies outside of the file. */
  private values({ type, length, from }: RawEntry, most = length): readonly number[] | undefined {
    const width = WIDTHS[type];
    if (width === undefined || !WHOLE.includes(type)) return undefined;
    const count = Math.min(length, most);
    if (from + width * count > this.bytes.length) return undefined;
    const read = SIGNED.includes(type)
      ? (at: number) => this.numbers.signed(at, width)
      : (at: number) => this.numbers.unsigned(at, width);
    const values = Array.from({ length: count }, (_, index) => read(from + index * width));
    return values.every((value) => value >= 0) ? values : undefined;
  }
}
