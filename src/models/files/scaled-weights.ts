/**
 * Weights with scales of their own, as files for ComfyUI hold them (comfy/utils.py, convert_old_quants; comfy/ops.py,
 * _load_quantized_module; Comfy-Org/comfy-kitchen): a weight beside a scale for all of it, for each row, or for each block of a row.
 */
import { elementCount } from '../../compute/tensor.js';
import type { StoredValues, Weight } from '../../compute/weight.js';
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
 * The weights of `source` as what they stand for, without the scales; `source` itself where it has none. fp8 with one scale is used
 * where it lies, all else is read when it is needed. `metadata` is the file's: `_quantization_metadata` names layers there. Throws
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
  const scales = scalesOf(source, layer, 'weight_scale', 'scale_weight');
  const codes = asType(weight, dtype);
  const [rows = 1] = weight.shape;
  if (scales.length === 1) {
    const [scale = 1] = scales;
    return dtypes[dtype].inPlace
      ? {
          ...codes,
          stored: { ...codes.stored, scale },
          read: (into) => {
            readScaled(codes.stored, scale, into);
          },
        }
      : computed(weight.name, weight.shape, () => valuesOf(codes).map((value) => value * scale));
  }
  if (scales.length !== rows) throw misfit(source, layer, scales.length, weight);
  const rowLength = elementCount(weight.shape) / rows;
  return computed(weight.name, weight.shape, () =>
    valuesOf(codes).map((value, index) => value * scales[Math.floor(index / rowLength)]!),
  );
}

/** OCP microscaling: e4m3 in blocks of 32 along a row, each with a power of two. */
function microscaled8({ source, layer, weight }: Held): Weight {
  const [rows = 0, columns = 0] = weight.shape;
  const scales = blockScales({ source, layer, weight }, 'F8_E8M0', rows, columns / 32);
  const codes = asType(weight, 'F8_E4M3');
  return computed(weight.name, weight.shape, () => {
    const scale = scales();
    return valuesOf(codes).map((value, index) => value * scale[Math.floor(index / 32)]!);
  });
}

/** The eight magnitudes of e2m1. */
const magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** NVIDIA's: e2m1, two in a byte, the first in its upper half, in blocks of 16 with an e4m3 scale, and a scale for all. */
function fourBits({ source, layer, weight }: Held): Weight {
  const [rows = 0, bytes = 0] = weight.shape;
  const columns = 2 * bytes;
  const [whole = 1] = scalesOf(source, layer, 'weight_scale_2');
  const scales = blockScales({ source, layer, weight }, 'F8_E4M3', rows, columns / 16);
  return computed(weight.name, [rows, columns], () => {
    const packed = valuesOf(weight);
    const scale = scales().map((each) => whole * each);
    return Float32Array.from({ length: rows * columns }, (_, index) => {
      const byte = packed[index >> 1]!;
      const code = index % 2 === 0 ? byte >> 4 : byte & 15;
      return (code & 8 ? -1 : 1) * magnitudes[code & 7]! * scale[index >> 4]!;
    });
  });
}

/** Scales of each row's blocks, row-major, read when they are asked for, out of the tiles of 128 rows × 4 blocks that cuBLAS takes. */
function blockScales(
  { source, layer, weight }: Held,
  dtype: StoredDType,
  rows: number,
  blocks: number,
): () => Float32Array {
  const key = `${layer}.weight_scale`;
  if (!source.has(key)) throw new ModelError(`${source.path} has no ${key} for its ${weight.name}`);
  const held = source.weight(key);
  const tileColumns = Math.ceil(blocks / 4);
  const wanted = Math.ceil(rows / 128) * tileColumns * 512;
  if (!Number.isInteger(blocks) || elementCount(held.shape) !== wanted) {
    throw misfit(source, layer, elementCount(held.shape), weight);
  }
  return () => {
    const tiled = valuesOf(asType(held, dtype));
    return Float32Array.from({ length: rows * blocks }, (_, index) => {
      const [row, block] = [Math.floor(index / blocks), index % blocks];
      const tile = Math.floor(row / 128) * tileColumns + (block >> 2);
      const within = row % 128;
      return tiled[tile * 512 + (within % 32) * 16 + (within >> 5) * 4 + (block & 3)]!;
    });
  };
}

function scalesOf(source: WeightSource, layer: string, ...names: readonly string[]): Float32Array {
  const key = names.map((name) => `${layer}.${name}`).find((each) => source.has(each));
  if (key === undefined)
    throw new ModelError(`${source.path} has no ${layer}.${names[0]} for ${layer}.weight`);
  return valuesOf(source.weight(key));
}

/** The same bytes as numbers of another type of a byte each: some files call fp8 U8. */
function asType(weight: Weight, dtype: StoredDType): Weight & { readonly stored: StoredValues } {
  const { stored } = weight;
  if (
    stored === undefined ||
    dtypes[stored.dtype].blockBytes !== 1 ||
    dtypes[stored.dtype].blockValues !== 1
  ) {
    throw new ModelError(
      `${weight.name} should hold ${dtype}, and holds ${stored?.dtype ?? 'computed values'}`,
    );
  }
  const as = { ...stored, dtype };
  return {
    name: weight.name,
    shape: weight.shape,
    stored: as,
    read: (into) => {
      readScaled(as, 1, into);
    },
  };
}

function readScaled({ file, offset, dtype }: StoredValues, scale: number, into: Float32Array): void {
  file.widen(offset, dtype, into);
  if (scale !== 1) into.forEach((value, index) => (into[index] = value * scale));
}

function misfit(source: WeightSource, layer: string, scales: number, { shape }: Weight): ModelError {
  return new ModelError(
    `${source.path}: ${shorten(layer, 100)} has ${scales} scales, which don't fit its weight of [${shape.join(', ')}]`,
  );
}
