import { isDType, type StoredDType } from '../../native/dtypes.js';
import type { WeightSource } from '../weights/weight-source.js';
import { rowsOf } from '../weights/weight-views.js';
import { readStored } from '../../compute/stored-values.js';
import type { Weight } from '../../compute/weight.js';

/** What products of scale and number in GGUF's blocks are rounded to: ComfyUI-GGUF takes float16 unless it is told otherwise. */
export type GgufProducts = 'float16' | 'float32';

/** The same weights with products in float32. */
export function withFloat32Products(source: WeightSource): WeightSource {
  const weight = (key: string): Weight => {
    const base = source.weight(key);
    const dtype = base.stored === undefined ? undefined : float32Form(base.stored.dtype);
    if (base.stored === undefined || dtype === undefined) return base;
    const stored = { ...base.stored, dtype };
    return {
      name: base.name,
      shape: base.shape,
      stored,
      read(into) {
        readStored(stored, into);
      },
    };
  };
  return {
    ...source,
    identity: `${source.identity}/float32`,
    weight,
    rows: (key, start, count) => rowsOf(weight(key), start, count),
  };
}

function float32Form(dtype: StoredDType): StoredDType | undefined {
  const name = `${dtype}_F32`;
  return isDType(name) ? name : undefined;
}
