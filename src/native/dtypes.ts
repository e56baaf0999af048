/**
 * Number types that files hold, one row each, under safetensors' names. `native/files/dtypes.h` has the same rows in the same order,
 * which a test compares: a type goes to C++ and to the card by its name or its place here. A type whose values share a scale
 * is a row with a block of more than one value.
 */
export interface DTypeRow {
  /** Values that lie together, a power of two, and the bytes that they take. */
  readonly blockValues: number;
  readonly blockBytes: number;
  /** Whether its values can be read as float32. */
  readonly widens: boolean;
  /** Whether kernels use weights of it where they lie. */
  readonly inPlace: boolean;
  /** Set where float16 can hold every value of it: text encoders are kept so (src/models/text/half-precision.ts). */
  readonly fitsF16?: true;
}

const widened = { blockValues: 1, widens: true, inPlace: false } as const;
const inPlace = { blockValues: 1, widens: true, inPlace: true } as const;
const sizeOnly = { widens: false, inPlace: false } as const;
const blockOf32 = { blockValues: 32, widens: true, inPlace: true } as const;
const blockOf256 = { blockValues: 256, widens: true, inPlace: true } as const;

const table = {
  F64: { ...widened, blockBytes: 8 },
  F32: { ...inPlace, blockBytes: 4 },
  F16: { ...inPlace, blockBytes: 2, fitsF16: true },
  BF16: { ...inPlace, blockBytes: 2 },
  F8_E4M3: { ...inPlace, blockBytes: 1, fitsF16: true },
  F8_E5M2: { ...inPlace, blockBytes: 1, fitsF16: true },
  F8_E4M3FNUZ: { ...widened, blockBytes: 1, fitsF16: true },
  F8_E5M2FNUZ: { ...widened, blockBytes: 1 },
  F8_E8M0: { ...widened, blockBytes: 1 },
  I64: { ...widened, blockBytes: 8 },
  U64: { ...widened, blockBytes: 8 },
  I32: { ...widened, blockBytes: 4 },
  U32: { ...widened, blockBytes: 4 },
  I16: { ...widened, blockBytes: 2 },
  U16: { ...widened, blockBytes: 2 },
  I8: { ...widened, blockBytes: 1, fitsF16: true },
  U8: { ...widened, blockBytes: 1, fitsF16: true },
  BOOL: { ...widened, blockBytes: 1, fitsF16: true },
  C64: { ...sizeOnly, blockValues: 1, blockBytes: 8 },
  F6_E2M3: { ...sizeOnly, blockValues: 4, blockBytes: 3 },
  F6_E3M2: { ...sizeOnly, blockValues: 4, blockBytes: 3 },
  F4: { ...sizeOnly, blockValues: 2, blockBytes: 1, fitsF16: true },
  // GGUF's blocks: with products of scale and number rounded to float16, as ComfyUI-GGUF does unless told otherwise, and in float32.
  Q4_0: { ...blockOf32, blockBytes: 18, fitsF16: true },
  Q4_1: { ...blockOf32, blockBytes: 20, fitsF16: true },
  Q5_0: { ...blockOf32, blockBytes: 22, fitsF16: true },
  Q5_1: { ...blockOf32, blockBytes: 24, fitsF16: true },
  Q8_0: { ...blockOf32, blockBytes: 34, fitsF16: true },
  Q2_K: { ...blockOf256, blockBytes: 84, fitsF16: true },
  Q3_K: { ...blockOf256, blockBytes: 110, fitsF16: true },
  Q4_K: { ...blockOf256, blockBytes: 144, fitsF16: true },
  Q5_K: { ...blockOf256, blockBytes: 176, fitsF16: true },
  Q6_K: { ...blockOf256, blockBytes: 210, fitsF16: true },
  IQ4_NL: { ...blockOf32, blockBytes: 18, fitsF16: true },
  IQ4_XS: { ...blockOf256, blockBytes: 136, fitsF16: true },
  Q4_0_F32: { ...blockOf32, blockBytes: 18 },
  Q4_1_F32: { ...blockOf32, blockBytes: 20 },
  Q5_0_F32: { ...blockOf32, blockBytes: 22 },
  Q5_1_F32: { ...blockOf32, blockBytes: 24 },
  Q8_0_F32: { ...blockOf32, blockBytes: 34 },
  Q2_K_F32: { ...blockOf256, blockBytes: 84 },
  Q3_K_F32: { ...blockOf256, blockBytes: 110 },
  Q4_K_F32: { ...blockOf256, blockBytes: 144 },
  Q5_K_F32: { ...blockOf256, blockBytes: 176 },
  Q6_K_F32: { ...blockOf256, blockBytes: 210 },
  IQ4_NL_F32: { ...blockOf32, blockBytes: 18 },
  IQ4_XS_F32: { ...blockOf256, blockBytes: 136 },
} as const satisfies Readonly<Record<string, DTypeRow>>;

export type StoredDType = keyof typeof table;

/** In the order of the table, by which a type is told to the card. */
export const dtypeNames = Object.keys(table) as readonly StoredDType[];

export const dtypes: Readonly<Record<StoredDType, DTypeRow>> = table;

export function isDType(name: unknown): name is StoredDType {
  return typeof name === 'string' && Object.hasOwn(table, name);
}

/** Bytes of `values` values; a fraction where they are no whole number of blocks. */
export function bytesOf(dtype: StoredDType, values: number): number {
  const { blockValues, blockBytes } = dtypes[dtype];
  return (values / blockValues) * blockBytes;
}
