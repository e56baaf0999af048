/** Samples of a PNG as red, green, blue and alpha. */
import type { Frame } from '../frame.js';
import type { PngFacts } from './chunk-stream.js';
import type { Canvas } from './scanlines.js';

export const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

export function frameOf({ width, height, samples }: Canvas, facts: PngFacts): Frame {
  const colour = colourReader(samples, facts);
  const deep = facts.bits === 16;
  const rgba = deep ? new Float32Array(width * height * 4) : new Uint8Array(width * height * 4);
  const opaque = deep ? 65535 : 255;
  for (let pixel = 0; pixel < width * height; pixel++) colour(pixel, rgba, pixel * 4, opaque);
  if (deep) for (let i = 0; i < rgba.length; i++) rgba[i] = rgba[i]! / 65535;
  return { width, height, rgba, alpha: alphaOf(facts) };
}

function alphaOf({ colourType, bits, transparency }: PngFacts): Frame['alpha'] {
  if (colourType === 4 || colourType === 6) return 'channel';
  if (transparency === undefined) return 'none';
  return colourType === 3 || bits > 1 ? 'channel' : 'key';
}

type Colour = (pixel: number, into: Uint8Array | Float32Array, at: number, opaque: number) => void;

function colourReader(
  samples: Uint8Array | Uint16Array,
  { colourType, palette, transparency }: PngFacts,
): Colour {
  if (colourType === 3) return paletteReader(samples, palette, transparency);
  const channels = CHANNELS[colourType]!;
  const grey = colourType === 0 || colourType === 4;
  const key = transparency === undefined ? undefined : keyOf(transparency, grey, samples);
  return (pixel, into, at, opaque) => {
    const from = pixel * channels;
    const red = samples[from]!;
    const [green, blue] = grey ? [red, red] : [samples[from + 1]!, samples[from + 2]!];
    into[at] = red;
    into[at + 1] = green;
    into[at + 2] = blue;
    if (channels === 2 || channels === 4) into[at + 3] = samples[from + channels - 1]!;
    else
      into[at + 3] = key !== undefined && red === key[0] && green === key[1] && blue === key[2] ? 0 : opaque;
  };
}

/** As Pillow 11 compares it: greys of fewer than 8 bits are scaled up, their key is not. */
function keyOf(
  body: Buffer,
  grey: boolean,
  samples: Uint8Array | Uint16Array,
): readonly [number, number, number] {
  const cut = (value: number) => (samples instanceof Uint8Array ? value & 255 : value);
  const red = cut(body.readUInt16BE(0));
  if (!grey) return [red, cut(body.readUInt16BE(2)), cut(body.readUInt16BE(4))];
  return [red, red, red];
}

function paletteReader(
  samples: Uint8Array | Uint16Array,
  palette: Buffer | undefined,
  alphas: Buffer | undefined,
): Colour {
  const table = new Uint8Array(1024);
  const entries = Math.floor((palette?.length ?? 0) / 3);
  for (let i = 0; i < 256; i++) {
    for (let c = 0; c < 3; c++) table[i * 4 + c] = i < entries ? palette![i * 3 + c]! : 0;
    table[i * 4 + 3] = alphas?.[i] ?? 255;
  }
  return (pixel, into, at) => {
    const entry = samples[pixel]! * 4;
    into[at] = table[entry]!;
    into[at + 1] = table[entry + 1]!;
    into[at + 2] = table[entry + 2]!;
    into[at + 3] = table[entry + 3]!;
  };
}
