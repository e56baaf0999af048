/**
 * Pictures in few colours, as Pillow makes them (src/libImaging/Quant.c's median cut, Convert.c's and Palette.c's mapping): exactly
 * its palettes, and exactly the entry of them that it takes for each pixel.
 */
import type { BytePicture } from './bytes.js';

/** Up to 256 colours, three bytes each. */
export type Palette = Uint8Array;

/** How much an extent of red, green and blue weighs when a box is cut. */
const axisWeights = [77, 150, 29] as const;
/** Colours that are told apart; of more, the lowest bits go. */
const mostColors = 65_536;

interface Color {
  /** Without the bits that don't count. */
  readonly channels: readonly [number, number, number];
  /** Of all pixels of the colour, in whole bits. */
  readonly sums: [number, number, number];
  count: number;
}

interface Box {
  readonly colors: readonly Color[];
  readonly pixels: number;
  /** What it was cut into, the brighter half first. */
  halves?: readonly [Box, Box];
}

/** A palette of at most `size` colours for a picture of three channels: the means of boxes that are cut at their medians. */
export function medianCut({ data }: BytePicture, size: number): Palette {
  const root: Box = { colors: colorsOf(data), pixels: data.length / 3 };
  const heap = new BoxHeap();
  heap.add(root);
  for (let cuts = 1; cuts < size; cuts++) {
    let box = heap.remove();
    while (box?.colors.length === 1) box = heap.remove();
    if (box === undefined) break;
    box.halves = cut(box);
    heap.add(box.halves[0]);
    heap.add(box.halves[1]);
  }
  return Uint8Array.from([...leaves(root)].flatMap(meanColor));
}

function* leaves(box: Box): Generator<Box> {
  if (box.halves === undefined) yield box;
  else for (const half of box.halves) yield* leaves(half);
}

function meanColor({ colors, pixels }: Box): number[] {
  return [0, 1, 2].map((channel) =>
    Math.floor(0.5 + colors.reduce((sum, color) => sum + color.sums[channel]!, 0) / pixels),
  );
}

function colorsOf(data: Uint8Array): Color[] {
  let dropped = 0;
  let found = new Map<number, Color>();
  const keyOf = (r: number, g: number, b: number): number =>
    ((r >> dropped) << 16) | ((g >> dropped) << 8) | (b >> dropped);
  const enter = (key: number, sums: readonly number[], count: number): void => {
    const known = found.get(key);
    if (known === undefined) {
      const channels = [key >> 16, (key >> 8) & 0xff, key & 0xff] as const;
      found.set(key, { channels, sums: [sums[0]!, sums[1]!, sums[2]!], count });
      return;
    }
    known.count += count;
    for (const channel of [0, 1, 2] as const) known.sums[channel] += sums[channel]!;
  };
  for (let at = 0; at < data.length; at += 3) {
    const [r, g, b] = [data[at]!, data[at + 1]!, data[at + 2]!];
    enter(keyOf(r, g, b), [r, g, b], 1);
    while (found.size > mostColors) {
      dropped++;
      const finer = found;
      found = new Map();
      for (const [key, { sums, count }] of finer) {
        enter(((key >> 17) << 16) | (((key >> 9) & 0x7f) << 8) | ((key & 0xff) >> 1), sums, count);
      }
    }
  }
  return [...found.values()];
}

/** Along the axis of the largest weighted extent, at its median: brighter colours, and darker ones. */
function cut({ colors, pixels }: Box): readonly [Box, Box] {
  const extents = axisWeights.map((weight, axis) => {
    const values = colors.map(({ channels }) => channels[axis]!);
    return weight * (maximum(values) - minimum(values));
  });
  const axis = extents.indexOf(Math.max(...extents));
  const counts = new Uint32Array(256);
  for (const { channels, count } of colors) counts[channels[axis]!]! += count;
  let threshold = 256;
  for (let above = 0; 2 * above <= pixels;) above += counts[--threshold]!;
  const darkest = counts.findIndex((count) => count > 0);
  if (threshold <= darkest) threshold = darkest + 1;
  const boxOf = (part: readonly Color[]): Box => ({
    colors: part,
    pixels: part.reduce((sum, { count }) => sum + count, 0),
  });
  return [
    boxOf(colors.filter(({ channels }) => channels[axis]! >= threshold)),
    boxOf(colors.filter(({ channels }) => channels[axis]! < threshold)),
  ];
}

const maximum = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));
const minimum = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));

/** The box of most pixels first; which of two alike follows from the order of these steps (QuantHeap.c). */
class BoxHeap {
  /** The first place stays empty. */
  private readonly boxes: (Box | undefined)[] = [undefined];

  add(box: Box): void {
    let at = this.boxes.push(box) - 1;
    for (; at !== 1 && box.pixels > this.at(at >> 1).pixels; at >>= 1) this.boxes[at] = this.at(at >> 1);
    this.boxes[at] = box;
  }

  remove(): Box | undefined {
    const first = this.boxes[1];
    const last = this.boxes.length > 1 ? this.boxes.pop() : undefined;
    if (last === undefined || this.boxes.length === 1) return first;
    const end = this.boxes.length - 1;
    let at = 1;
    while (2 * at <= end) {
      let below = 2 * at;
      if (below < end && this.at(below).pixels < this.at(below + 1).pixels) below++;
      if (last.pixels > this.at(below).pixels) break;
      this.boxes[at] = this.at(below);
      at = below;
    }
    this.boxes[at] = last;
    return first;
  }

  private at(place: number): Box {
    return this.boxes[place]!;
  }
}

/** The entry of a palette that Pillow takes for a colour: the nearest to the corner of the colour's cell of 4×4×4. */
function nearestOf(palette: Palette): (r: number, g: number, b: number) => number {
  const cells = new Int16Array(64 ** 3).fill(-1);
  return (r, g, b) => {
    const cell = (r >> 2) | ((g >> 2) << 6) | ((b >> 2) << 12);
    if (cells[cell]! < 0) {
      let least = Infinity;
      for (let entry = 0; 3 * entry < palette.length; entry++) {
        const distance =
          ((r & ~3) - palette[3 * entry]!) ** 2 +
          ((g & ~3) - palette[3 * entry + 1]!) ** 2 +
          ((b & ~3) - palette[3 * entry + 2]!) ** 2;
        if (distance < least) {
          least = distance;
          cells[cell] = entry;
        }
      }
    }
    return cells[cell]!;
  };
}

/** The picture in the palette's colours. */
export function inPalette(picture: BytePicture, palette: Palette): BytePicture {
  const nearest = nearestOf(palette);
  const { data } = picture;
  const mapped = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 3) {
    const entry = nearest(data[at]!, data[at + 1]!, data[at + 2]!);
    mapped.set(palette.subarray(3 * entry, 3 * entry + 3), at);
  }
  return { ...picture, data: mapped };
}

/** The same, what each pixel is off by handed on to its neighbours (Floyd and Steinberg, 1976), in whole sixteenths. */
export function diffusedInPalette(picture: BytePicture, palette: Palette): BytePicture {
  const nearest = nearestOf(palette);
  const { data, width, height } = picture;
  const mapped = new Uint8Array(data.length);
  const within = (value: number): number => Math.min(Math.max(value, 0), 255);
  let above = new Int32Array(3 * (width + 2));
  for (let y = 0; y < height; y++) {
    const below = new Int32Array(above.length);
    const ahead = [0, 0, 0];
    let lastBlue = 0;
    for (let x = 0; x < width; x++) {
      const at = 3 * (y * width + x);
      // Each place of `above` and `below` lies one further to the right than its pixel.
      const place = 3 * (x + 1);
      const wanted = [0, 1, 2].map((channel) =>
        within(data[at + channel]! + Math.trunc((ahead[channel]! + above[place + channel]!) / 16)),
      );
      const entry = nearest(wanted[0]!, wanted[1]!, wanted[2]!);
      for (let channel = 0; channel < 3; channel++) {
        const value = palette[3 * entry + channel]!;
        mapped[at + channel] = value;
        const error = wanted[channel]! - value;
        ahead[channel] = 7 * error;
        below[place - 3 + channel]! += 3 * error;
        below[place + channel]! += 5 * error;
        below[place + 3 + channel]! += error;
        lastBlue = error;
      }
    }
    // Under the last pixel of a row Pillow puts what belongs to blue alone: its whole share, and its last error twice.
    const last = 3 * width;
    below.set([below[last + 2]!, lastBlue, lastBlue], last);
    above = below;
  }
  return { ...picture, data: mapped };
}

/** The same, with an ordered pattern of `order` × `order` added first (ComfyUI comfy_extras/nodes_post_processing.py, Quantize.bayer). */
export function orderedInPalette(picture: BytePicture, palette: Palette, order: number): BytePicture {
  const spread = (2 * 256) / (palette.length / 3);
  const pattern = bayerMatrix(order).map((value) => Math.fround(Math.fround(spread * value) + 0.5));
  const { data, width } = picture;
  const moved = data.map((value, at) => {
    const pixel = Math.floor(at / 3);
    const [row, column] = [Math.floor(pixel / width) % order, (pixel % width) % order];
    return Math.min(Math.max(Math.fround(value + pattern[row * order + column]!), 0), 255);
  });
  return inPalette({ ...picture, data: moved }, palette);
}

/** Thresholds around 0, row-major. */
function bayerMatrix(order: number): number[] {
  if (order === 1) return [0];
  const half = order / 2;
  const inner = bayerMatrix(half);
  const levels = order ** 2;
  return Array.from({ length: levels }, (_, at) => {
    const [row, column] = [Math.floor(at / order), at % order];
    const offset = row < half ? (column < half ? -1.5 : 0.5) : column < half ? 1.5 : -0.5;
    return (levels * inner[(row % half) * half + (column % half)]! + offset) / levels;
  });
}
