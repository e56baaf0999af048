/**
 * Weights with scales of their own, as files for ComfyUI hold them (comfy/utils.py, convert_old_quants; comfy/ops.py,
 * _load_quantized_module; Comfy-Org/comfy-kitchen): a weight beside a scale for all of it, for each row, or for each block of a row.
 */
import { elementCount } from '../../compute/tensor.js';
import { readStored } from '../../compute/stored-values.js';
import type { ScalesBeside, StoredValues, Weight } from '../../compute/weight.js';
import { dtypes, type StoredDType } from '../../native/dtypes.js';
import { shorten } from '../../safe-text.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import { rowsOf } from '../weights/weight-views.js';

/** A layer's scales, and what says how it is held; the first two end the names of whole models, too. */
const marks =
  /(^|\.)(scaled_fp8|scale_input|scale_weight|weight_scale|weight_scale_2|input_scale|comfy_quant)$/;

interface Held {
  readonly source: WeightSource;
  /** `double_blocks.0.img_attn.qkv` */
  readonly layer: string;
  readonly weight: Weight;
}

/** How a layer's weight is read, by ComfyUI's name of the format. */
const formats: Readonly<Record<string, (held: Held) => Weight>> = {
  float8_e4m3fn: (held) => scaledWeight(held, 'F8_E4M3'),
  float8_e5m2: (held) => scaledWeight(held, 'F8_E5M2'),
  int8_tensorwise: (held) => scaledWeight(held, 'I8'),
  mxfp8: microscaled8,
  nvfp4: fourBits,
};

/**
 * The weights of `source` as what they stand for, without the scales; `source` itself where it has none. All of them are used where they
 * lie. `metadata` is the file's: `_quantization_metadata` names layers there. Throws
 * `ModelError` for formats that aren't known.
 */
export function withoutScales(
  source: WeightSource,
  metadata: Readonly<Record<string, string>>,
): WeightSource {
  const listed = listedFormats(source.path, metadata);
  const isMarked = [...source.keys()].some((key) => marks.test(key));
  if (!isMarked && listed.size === 0) return source;
  const formatOf = (layer: string): string | undefined =>
    listed.get(layer) ??
    ownFormat(source, layer) ??
    (source.has(`${layer}.scale_weight`) ? 'float8_e4m3fn' : undefined);
  const weight = (key: string): Weight => {
    const plain = source.weight(key);
    const layer = key.endsWith('.weight') ? key.slice(0, -'.weight'.length) : undefined;
    const format = layer === undefined ? undefined : formatOf(layer);
    if (layer === undefined || format === undefined) return plain;
    return formats[format]!({ source, layer, weight: plain });
  };
  return {
    path: source.path,
    identity: `${source.identity}/scaled`,
    *keys() {
      for (const key of source.keys()) if (!marks.test(key)) yield key;
    },
    has: (key) => !marks.test(key) && source.has(key),
    weight,
    rows: (key, start, count) => rowsOf(weight(key), start, count),
  };
}

function listedFormats(
  path: string,
  metadata: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const text = metadata['_quantization_metadata'];
  if (text === undefined) return new Map();
  const layers = asObject(asObject(parsed(path, text))['layers']);
  return new Map(Object.entries(layers).map(([layer, told]) => [layer, knownFormat(path, layer, told)]));
}

function ownFormat(source: WeightSource, layer: string): string | undefined {
  const key = `${layer}.comfy_quant`;
  if (!source.has(key)) return undefined;
  const text = Buffer.from(Uint8Array.from(valuesOf(source.weight(key)))).toString();
  return knownFormat(source.path, layer, parsed(source.path, text));
}

function knownFormat(path: string, layer: string, told: unknown): string {
  const { format, convrot, params } = asObject(told);
  const name = typeof format === 'string' ? format : '';
  if (Object.hasOwn(formats, name) && convrot !== true && asObject(params)['convrot'] !== true) return name;
  const shown = shorten(JSON.stringify(told), 100);
  throw new ModelError(
    `${path}: the weights of ${shorten(layer, 100)} are held as ${shown}, which isn't known; known formats are ${Object.keys(formats).join(', ')}`,
  );
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelError(`${path}: what it says of its quantised weights is no JSON`, { cause });
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Codes times a scale: one, or one for each row. */
function scaledWeight({ source, layer, weight }: Held, dtype: StoredDType): Weight {
  const codes = asCodes(weight, dtype);
  const [key, scales] = scalesOf(source, layer, 'weight_scale', 'scale_weight');
  const [rows = 1] = weight.shape;
  const rowLength = elementCount(weight.shape) / rows;
  if (scales.length === 1) {
    const beside = { kind: 'one', offset: 0, rowLength, firstRow: 0 } as const;
    const [scale = 1] = scales;
    const { inPlace } = dtypes[dtype];
    return storedAs(weight, weight.shape, { ...codes, scale, ...(inPlace ? {} : { scales: beside }) });
  }
  if (scales.length !== rows) throw misfit(source, layer, scales.length, weight);
  const { stored } = source.weight(key);
  if (stored?.dtype === 'F32' && weight.shape.length === 2) {
    const beside = { kind: 'rows', offset: stored.offset, rowLength, firstRow: 0 } as const;
    return storedAs(weight, weight.shape, { ...codes, scales: beside });
  }
  return computed(weight.name, weight.shape, () => {
    const values = new Float32Array(elementCount(weight.shape));
    readStored(codes, values);
    return values.map((value, index) => value * scales[Math.floor(index / rowLength)]!);
  });
}

/** OCP microscaling: e4m3 in blocks of 32 along a row, each with a power of two. */
function microscaled8(held: Held): Weight {
  const { weight } = held;
  const codes = asCodes(weight, 'F8_E4M3');
  const scales = blockScales(held, { kind: 'blocks_of32', block: 32, rowLength: weight.shape[1] ?? 0 });
  return storedAs(weight, weight.shape, { ...codes, scales });
}

/** NVIDIA's: e2m1, two in a byte, the first in its upper half, in blocks of 16 with an e4m3 scale, and a scale for all. */
function fourBits(held: Held): Weight {
  const { source, layer, weight } = held;
  const [rows = 0, bytes = 0] = weight.shape;
  const rowLength = 2 * bytes;
  const [, [scale = 1]] = scalesOf(source, layer, 'weight_scale_2');
  const codes = { ...asCodes(weight, 'U8'), dtype: 'F4' } as const;
  const scales = blockScales(held, { kind: 'blocks_of16', block: 16, rowLength });
  return storedAs(weight, [rows, rowLength], { ...codes, scale, scales });
}

/** Where the scales of a row's blocks lie, in tiles of 128 rows × 4 blocks that cuBLAS takes. */
function blockScales(
  { source, layer, weight }: Held,
  {
    kind,
    block,
    rowLength,
  }: { readonly kind: ScalesBeside['kind']; readonly block: number; readonly rowLength: number },
): ScalesBeside {
  const key = `${layer}.weight_scale`;
  if (!source.has(key)) throw new ModelError(`${source.path} has no ${key} for its ${weight.name}`);
  const held = source.weight(key);
  const [rows = 0] = weight.shape;
  const blocks = rowLength / block;
  const wanted = Math.ceil(rows / 128) * Math.ceil(blocks / 4) * 512;
  if (!Number.isInteger(blocks) || elementCount(held.shape) !== wanted) {
    throw misfit(source, layer, elementCount(held.shape), weight);
  }
  return { kind, offset: asCodes(held, 'U8').offset, rowLength, firstRow: 0 };
}

/** A weight that kernels take from its file. */
function storedAs({ name }: Weight, shape: readonly number[], stored: StoredValues): Weight {
  return {
    name,
    shape,
    stored,
    read: (into) => {
      readStored(stored, into);
    },
  };
}

function scalesOf(
  source: WeightSource,
  layer: string,
  ...names: readonly string[]
): readonly [key: string, values: Float32Array] {
  const key = names.map((name) => `${layer}.${name}`).find((each) => source.has(each));
  if (key === undefined)
    throw new ModelError(`${source.path} has no ${layer}.${names[0]} for ${layer}.weight`);
  return [key, valuesOf(source.weight(key))];
}

/** The same bytes as numbers of another type of a byte each: some files call fp8 U8. */
function asCodes({ name, stored }: Weight, dtype: StoredDType): StoredValues {
  if (
    stored === undefined ||
    dtypes[stored.dtype].blockBytes !== 1 ||
    dtypes[stored.dtype].blockValues !== 1
  ) {
    throw new ModelError(`${name} should hold ${dtype}, and holds ${stored?.dtype ?? 'computed values'}`);
  }
  return { ...stored, dtype };
}

function misfit(source: WeightSource, layer: string, scales: number, { shape }: Weight): ModelError {
  return new ModelError(
    `${source.path}: ${shorten(layer, 100)} has ${scales} scales, which don't fit its weight of [${shape.join(', ')}]`,
  );
}
