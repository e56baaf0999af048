/** Sound at another rate, as torchaudio does it (torchaudio/functional/functional.py, resample). */

/** Zero crossings of the sinc on either side, and how far below half the lower rate it cuts. */
const LOWPASS_WIDTH = 6;
const ROLLOFF = 0.99;
const { fround } = Math;

/** One channel, windowed-sinc interpolated in 32-bit floats; rates are whole numbers of hertz. */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const divisor = greatestCommonDivisor(from, to);
  const [source, target] = [from / divisor, to / divisor];
  const { kernel, width } = sincKernel(source, target);
  const taps = 2 * width + source;
  const length = Math.ceil((target * samples.length) / source);
  const result = new Float32Array(length);
  for (let at = 0; at < length; at++) {
    const phase = at % target;
    const start = ((at - phase) / target) * source - width;
    const [first, last] = [Math.max(0, -start), Math.min(taps, samples.length - start)];
    let sum = 0;
    for (let tap = first; tap < last; tap++) sum += kernel[phase * taps + tap]! * samples[start + tap]!;
    result[at] = sum;
  }
  return result;
}

/** A row of taps for each phase of the new rate. The arithmetic is 32-bit, as torch's is where waveforms are. */
function sincKernel(
  source: number,
  target: number,
): { readonly kernel: Float32Array; readonly width: number } {
  const cutoff = Math.min(source, target) * ROLLOFF;
  const width = Math.ceil((LOWPASS_WIDTH * source) / cutoff);
  const taps = 2 * width + source;
  const kernel = new Float32Array(target * taps);
  const [scale, pi] = [fround(cutoff / source), fround(Math.PI)];
  for (let phase = 0; phase < target; phase++) {
    for (let tap = 0; tap < taps; tap++) {
      const place = fround(fround(-phase / target) + fround((tap - width) / source));
      const time = Math.min(Math.max(fround(place * fround(cutoff)), -LOWPASS_WIDTH), LOWPASS_WIDTH);
      const angle = fround(fround(fround(time * pi) / LOWPASS_WIDTH) / 2);
      const window = fround(fround(Math.cos(angle)) ** 2);
      const turned = fround(time * pi);
      const sinc = turned === 0 ? 1 : fround(fround(Math.sin(turned)) / turned);
      kernel[phase * taps + tap] = sinc * fround(window * scale);
    }
  }
  return { kernel, width };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
