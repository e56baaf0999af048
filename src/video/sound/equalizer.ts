/**
 * Filters of two poles and two zeros, as torchaudio has them (torchaudio/functional/filtering.py; Robert Bristow-Johnson's Audio EQ
 * Cookbook). Arithmetic is 32-bit where torch's is.
 */

const { fround } = Math;

/** b0, b1, b2 over a0, a1, a2. */
type Biquad = readonly [number, number, number, number, number, number];

export interface Band {
  readonly kind: 'low shelf' | 'peak' | 'high shelf';
  /** Decibels. */
  readonly gain: number;
  /** Hertz. */
  readonly frequency: number;
  readonly q: number;
}

/**
 * One channel, cut to [−1, 1]. `alone` says that the sound has no other: torch's convolution then rounds a product before it adds it,
 * and low shelves tell the difference.
 */
export function applyBand(
  samples: Float32Array,
  sampleRate: number,
  band: Band,
  alone: boolean,
): Float32Array {
  const added = alone
    ? (product: number, rest: number) => fround(fround(product) + rest)
    : (product: number, rest: number) => fround(product + rest);
  const [b0, b1, b2, a0, a1, a2] = coefficients(sampleRate, band);
  const result = new Float32Array(samples.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i]!;
    const zeros = fround(added(b0 * x, added(b1 * x1, fround(b2 * x2))) / a0);
    const poles = fround(fround(fround(a2 / a0) * y2) + fround(fround(a1 / a0) * y1));
    const y = fround(zeros - poles);
    result[i] = Math.min(Math.max(y, -1), 1);
    [x1, x2, y1, y2] = [x, x1, y, y1];
  }
  return result;
}

function coefficients(sampleRate: number, { kind, gain, frequency, q }: Band): Biquad {
  // torch keeps 0-dimensional tensors in 32 bits.
  const w0 = fround(fround(fround(2 * Math.PI) * fround(frequency)) / sampleRate);
  const alpha = fround(fround(fround(Math.sin(w0)) / 2) / fround(q));
  const cosine = fround(Math.cos(w0));
  const amplitude = fround(Math.exp(fround(fround(fround(gain) / 40) * fround(Math.log(10)))));
  if (kind === 'peak') {
    const [up, down] = [fround(alpha * amplitude), fround(alpha / amplitude)];
    return [1 + up, -2 * cosine, 1 - up, 1 + down, -2 * cosine, 1 - down].map(fround) as unknown as Biquad;
  }
  const root = fround(fround(2 * fround(Math.sqrt(amplitude))) * alpha);
  // A high shelf is a low one with the cosine's sign turned in places.
  const sign = kind === 'low shelf' ? 1 : -1;
  const [more, less] = [fround(amplitude + 1), fround(amplitude - 1)];
  const [lessTurned, moreTurned] = [
    fround(fround(less * cosine) * sign),
    fround(fround(more * cosine) * sign),
  ];
  const sum = (a: number, b: number, c: number) => fround(fround(a + b) + c);
  const b: readonly number[] = [
    amplitude * sum(more, -lessTurned, root),
    fround(2 * amplitude) * sign * fround(less - moreTurned),
    amplitude * sum(more, -lessTurned, -root),
  ].map(fround);
  const a: readonly number[] = [
    sum(more, lessTurned, root),
    fround(-2 * sign * fround(less + moreTurned)),
    sum(more, lessTurned, -root),
  ];
  if (kind === 'high shelf') return [...b, ...a] as unknown as Biquad;
  // torchaudio's bass divides before it makes tensors of them.
  return [...b, ...a].map((value) => fround(value / a[0]!)) as unknown as Biquad;
}
