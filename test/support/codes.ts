/** Numbers in eight bits, from their types' definitions (OCP 8-bit floating point, 2023; torch's float8 types). */

/** Bits of mantissa, bias of the exponent, and which codes are no numbers. */
const types = {
  F8_E4M3: { mantissa: 3, bias: 7, isNaN: (code: number) => (code & 127) === 127, isInfinite: () => false },
  F8_E5M2: {
    mantissa: 2,
    bias: 15,
    isNaN: (code: number) => (code & 127) > 124,
    isInfinite: (code: number) => (code & 127) === 124,
  },
  F8_E4M3FNUZ: { mantissa: 3, bias: 8, isNaN: (code: number) => code === 128, isInfinite: () => false },
  F8_E5M2FNUZ: { mantissa: 2, bias: 16, isNaN: (code: number) => code === 128, isInfinite: () => false },
} as const;

export type CodeType = keyof typeof types;

/** The value of a code, in float64. */
export function codeValue(type: CodeType, code: number): number {
  const { mantissa, bias, isNaN, isInfinite } = types[type];
  if (isNaN(code)) return NaN;
  const sign = code & 128 ? -1 : 1;
  if (isInfinite(code)) return sign * Infinity;
  const exponent = (code & 127) >> mantissa;
  const fraction = (code & ((1 << mantissa) - 1)) / (1 << mantissa);
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

/** The code nearest to each value, the even one of two, as torch rounds them; values within the type's range. */
export function narrowToCodes(type: CodeType, values: Float32Array): Uint8Array {
  const known = Array.from({ length: 256 }, (_, code) => ({ code, value: codeValue(type, code) }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => a.value - b.value);
  return Uint8Array.from(values, (wanted) => {
    let [low, high] = [0, known.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (known[middle]!.value <= wanted) low = middle;
      else high = middle;
    }
    const [below, above] = [known[low]!, known[high]!];
    const difference = wanted - below.value - (above.value - wanted);
    const isBelow = difference === 0 ? (below.code & 1) === 0 : difference < 0;
    return (isBelow ? below : above).code;
  });
}

/** The code of each half, by its bits. */
const tables = new Map<CodeType, Uint8Array>();

function codesOfHalves(type: CodeType): Uint8Array {
  const bits = Uint16Array.from({ length: 65536 }, (_, each) => each);
  return narrowToCodes(type, Float32Array.from(bits, halfValue));
}

/** Values in half precision as codes. */
export function halvesToCodes(type: CodeType, halves: Uint16Array): Uint8Array {
  const table = tables.get(type) ?? codesOfHalves(type);
  tables.set(type, table);
  // Checkpoints are large, and a loop is a tenth of what Uint8Array.from takes.
  const codes = new Uint8Array(halves.length);
  halves.forEach((each, at) => (codes[at] = table[each]!));
  return codes;
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, (bits & 1023) / 1024];
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}
