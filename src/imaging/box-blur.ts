/** Pillow's GaussianBlur of grey bytes: three box blurs along either side (src/libImaging/BoxBlur.c). */

const PASSES = 3;

/** Half the length of the boxes that are together as wide as the Gaussian; Pillow computes in float32. */
function boxRadius(radius: number): number {
  const f = Math.fround;
  const variance = f(f(radius * radius) / PASSES);
  const length = f(Math.sqrt(12 * variance + 1));
  const whole = Math.floor((length - 1) / 2);
  const next = (whole + 1) * (whole + 1);
  const part = f((2 * whole + 1) * f(whole * (whole + 1) - f(3 * variance)));
  return f(whole + f(part / f(6 * f(variance - next))));
}

interface Weights {
  readonly radius: number;
  /** Of pixels inside of the box, and of one on either side of it; in units of 2⁻²⁴. */
  readonly inner: number;
  readonly outer: number;
}

function weightsOf(half: number): Weights {
  const radius = Math.trunc(half);
  const inner = Math.trunc(Math.fround(2 ** 24 / Math.fround(Math.fround(half * 2) + 1)));
  return { radius, inner, outer: Math.trunc((2 ** 24 - (radius * 2 + 1) * inner) / 2) };
}

function blurLine(line: Uint8Array, into: Uint8Array, { radius, inner, outer }: Weights): void {
  const last = line.length - 1;
  const at = (x: number) => line[Math.min(Math.max(x, 0), last)]!;
  let sum = 0;
  for (let x = -radius; x <= radius; x++) sum += at(x);
  for (let x = 0; x <= last; x++) {
    const total = sum * inner + (at(x - radius - 1) + at(x + radius + 1)) * outer;
    into[x] = Math.floor((total + 2 ** 23) / 2 ** 24);
    sum += at(x + radius + 1) - at(x - radius);
  }
}

/** A grey picture blurred; its edges go on for ever. */
export function pillowGaussianBlur(
  grey: Uint8Array,
  width: number,
  height: number,
  radius: number,
): Uint8Array {
  const half = boxRadius(Math.fround(radius));
  if (half === 0 || grey.length === 0) return grey;
  const weights = weightsOf(half);
  const pass = (
    data: Uint8Array,
    length: number,
    stride: number,
    count: number,
    startOf: (line: number) => number,
  ) => {
    const result = new Uint8Array(data.length);
    let [line, other] = [new Uint8Array(length), new Uint8Array(length)];
    for (let index = 0; index < count; index++) {
      const start = startOf(index);
      for (let at = 0; at < length; at++) line[at] = data[start + at * stride]!;
      for (let time = 0; time < PASSES; time++) {
        blurLine(line, other, weights);
        [line, other] = [other, line];
      }
      for (let at = 0; at < length; at++) result[start + at * stride] = line[at]!;
    }
    return result;
  };
  const across = pass(grey, width, 1, height, (line) => line * width);
  return pass(across, height, width, width, (line) => line);
}
