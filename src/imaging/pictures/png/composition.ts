/** Frames of an animated PNG on top of one another, as Pillow puts them (PngImagePlugin.py, _seek and load_end). */
import type { Box, PngFacts } from './chunk-stream.js';
import { frameOf } from './pixels.js';
import type { Canvas } from './scanlines.js';

export function blank({ width, height, channels, samples }: Canvas): Canvas {
  const empty =
    samples instanceof Uint8Array ? new Uint8Array(samples.length) : new Uint16Array(samples.length);
  return { width, height, channels, samples: empty };
}

export function copyOf(canvas: Canvas): Canvas {
  return { ...canvas, samples: canvas.samples.slice() };
}

/** The box of one canvas in place of that of another. */
export function replaceBox(to: Canvas, from: Canvas, [left, top, right, bottom]: Box): void {
  for (let y = top; y < bottom; y++) {
    const [start, end] = [(y * to.width + left) * to.channels, (y * to.width + right) * to.channels];
    to.samples.set(from.samples.subarray(start, end), start);
  }
}

/** The box of one canvas over that of another, as opaque as it is; palette indices and alpha are blended like colours, as Pillow does. */
export function blendBox(to: Canvas, from: Canvas, [left, top, right, bottom]: Box, facts: PngFacts): void {
  const { rgba } = frameOf(from, facts);
  const whole = from.samples instanceof Uint8Array ? 255 : 65535;
  const scale = rgba instanceof Float32Array ? whole : 1;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const pixel = y * to.width + x;
      const opacity = Math.round(rgba[pixel * 4 + 3]! * scale);
      for (let at = pixel * to.channels; at < (pixel + 1) * to.channels; at++) {
        to.samples[at] = Math.round(
          (to.samples[at]! * (whole - opacity) + from.samples[at]! * opacity) / whole,
        );
      }
    }
  }
}
