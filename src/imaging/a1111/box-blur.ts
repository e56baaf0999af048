/** Pillow's GaussianBlur: three box blurs whose width need not be whole (Pillow src/libImaging/BoxBlur.c). Pictures are H×W×`inner`. */

const PASSES = 3;

export interface Extent {
  readonly height: number;
  readonly width: number;
  readonly inner: number;
}

/** Blurs by a radius in pixels; edges go on as they end. */
export function blurByBoxes(values: Float32Array, extent: Extent, radius: number): Float32Array {
  if (radius === 0) return values;
  const { height, width, inner } = extent;
  const box = boxRadius(radius);
  let blurred = values;
  for (let pass = 0; pass < PASSES; pass++) {
    blurred = blurAlong(blurred, height, width, inner, box);
    blurred = blurAlong(blurred, 1, height, width * inner, box);
  }
  return blurred;
}

/** Half the width of a box of which three have a gaussian's variance. */
function boxRadius(radius: number): number {
  const variance = (radius * radius) / PASSES;
  const whole = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2);
  const part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  return whole + part / (6 * (variance - (whole + 1) ** 2));
}

/** Along lines of `length` places with `inner` values each. The box has whole places and a share of one more at either end. */
function blurAlong(
  values: Float32Array,
  lines: number,
  length: number,
  inner: number,
  radius: number,
): Float32Array {
  const result = new Float32Array(values.length);
  const whole = Math.floor(radius);
  const share = radius - whole;
  const weight = 1 / (2 * radius + 1);
  for (let line = 0; line < lines; line++) {
    for (let channel = 0; channel < inner; channel++) {
      const start = line * length * inner + channel;
      const at = (place: number) => values[start + Math.min(Math.max(place, 0), length - 1) * inner]!;
      let sum = 0;
      for (let place = -whole; place <= whole; place++) sum += at(place);
      for (let place = 0; place < length; place++) {
        const ends = at(place - whole - 1) + at(place + whole + 1);
        result[start + place * inner] = (sum + share * ends) * weight;
        sum += at(place + whole + 1) - at(place - whole);
      }
    }
  }
  return result;
}
