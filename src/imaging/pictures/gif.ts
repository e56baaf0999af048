/** GIF frames composed as Pillow does (GifImagePlugin.py): colours under transparent pixels are the palette's. */
import { GifReader, type Frame as GifFrame } from 'omggif';
import { MAX_PIXELS, PictureError, type Frame } from './frame.js';

type Rgba = readonly [number, number, number, number];

/** Every frame, each on top of what those before it left. Throws `PictureError` for a damaged file. */
export function decodeGif(bytes: Uint8Array): Frame[] {
  const reader = open(bytes);
  const { width, height } = reader;
  const infos = Array.from({ length: reader.numFrames() }, (_, index) => reader.frameInfo(index));
  infos.forEach((info, index) => {
    checkFrame(info, index, width, height);
  });
  const first = infos[0];
  if (first === undefined) throw new PictureError('the GIF has no frames');
  const alpha = first.transparent_index !== null && !isGreyRamp(bytes, first) ? 'channel' : 'none';

  const canvas = new Canvas(width, height);
  canvas.fill(
    { x: 0, y: 0, width, height },
    colourOf(bytes, first, first.transparent_index ?? 0, first.transparent_index === null ? 255 : 0),
  );
  let disposal = 0;
  return infos.map((info, index): Frame => {
    // A frame without a method of its own keeps the one before's.
    if (info.disposal !== 0) disposal = info.disposal;
    const before = disposal === 3 && index > 0 ? canvas.pixels.slice() : undefined;
    blit(reader, index, canvas.pixels);
    const frame: Frame = { width, height, rgba: canvas.pixels.slice(), alpha };
    if (disposal === 2) canvas.fill(info, disposedColour(bytes, info));
    if (before !== undefined) canvas.restore(info, before);
    return alpha === 'channel' ? frame : { ...frame, rgba: opaque(frame.rgba) };
  });
}

function open(bytes: Uint8Array): GifReader {
  try {
    return new GifReader(bytes);
  } catch (cause) {
    throw new PictureError(`a damaged GIF: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function blit(reader: GifReader, index: number, pixels: Uint8Array): void {
  try {
    reader.decodeAndBlitFrameRGBA(index, pixels);
  } catch (cause) {
    throw new PictureError(`frame ${index} of the GIF is damaged`, { cause });
  }
}

function checkFrame(info: GifFrame, index: number, width: number, height: number): void {
  if (width * height > MAX_PIXELS) throw new PictureError(`a GIF of ${width}×${height} pixels is too large`);
  if (info.x + info.width > width || info.y + info.height > height) {
    throw new PictureError(`frame ${index} of the GIF sticks out of its ${width}×${height} pixels`);
  }
  if (info.palette_offset === null) throw new PictureError(`frame ${index} of the GIF has no palette`);
}

function colourOf(bytes: Uint8Array, info: GifFrame, index: number, alpha: number): Rgba {
  const at = info.palette_offset! + (index < info.palette_size! ? index : 0) * 3;
  return [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, alpha];
}

/** What takes a frame's place when it goes: its transparent colour, or else the screen's background. */
function disposedColour(bytes: Uint8Array, info: GifFrame): Rgba {
  if (info.transparent_index !== null) return colourOf(bytes, info, info.transparent_index, 0);
  const background = bytes[11]!;
  return colourOf(bytes, info, background, 255);
}

/** Whether the palette just counts up: such a picture is grey to Pillow, and grey ones have no transparent entries. */
function isGreyRamp(bytes: Uint8Array, info: GifFrame): boolean {
  return Array.from({ length: info.palette_size! }, (_, index) => colourOf(bytes, info, index, 255)).every(
    (colour, index) => colour.slice(0, 3).every((value) => value === index),
  );
}

function opaque(rgba: Uint8Array): Uint8Array {
  for (let at = 3; at < rgba.length; at += 4) rgba[at] = 255;
  return rgba;
}

type Box = Pick<GifFrame, 'x' | 'y' | 'width' | 'height'>;

class Canvas {
  readonly pixels: Uint8Array;

  constructor(
    private readonly width: number,
    height: number,
  ) {
    this.pixels = new Uint8Array(width * height * 4);
  }

  fill(box: Box, colour: Rgba): void {
    for (const start of this.rows(box)) {
      for (let x = 0; x < box.width; x++) this.pixels.set(colour, start + x * 4);
    }
  }

  restore(box: Box, from: Uint8Array): void {
    for (const start of this.rows(box)) {
      this.pixels.set(from.subarray(start, start + box.width * 4), start);
    }
  }

  /** Where the box's rows begin. */
  private *rows(box: Box): Generator<number> {
    for (let y = box.y; y < box.y + box.height; y++) yield (y * this.width + box.x) * 4;
  }
}
