import type { MappedFile } from './mapped-file-types.js';
import type { StoredDType } from './dtypes.js';

/** A weight that kernels read from its file as it is. */
/** Scales that lie beside a weight's values in its file (native/compute/kernels.h, StoredScales). */
export interface WeightScales {
  /** One of `SCALE_KIND`. */
  readonly kind: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Values of a row. */
  readonly rowLength: number;
  /** The row of the scales that the weight's first row has. */
  readonly firstRow: number;
}

export interface StoredWeight {
  readonly scales?: WeightScales;
  readonly file: MappedFile;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** One that is used in place. */
  readonly dtype: StoredDType;
  /** What every value is multiplied by; 1 where it is left out. */
  readonly scale?: number;
  /** Values, not bytes. */
  readonly count: number;
}

/** Sums are float32 in any case. */
export type Precision = 'fp32' | 'bf16';

export interface OnnxSessionOptions {
  /** Threads inside one operator. */
  readonly threads: number;
  /** Path prefix of ONNX Runtime's profile, written when the session is disposed of. */
  readonly profile?: string;
  /** Which kernels to run, for tests and comparisons; the fastest that the processor has when left out. */
  readonly kernels?: 'avx512' | 'avx2' | 'portable';
  /** What operands of products are rounded to; fp32 when left out. Rejects with a reason where the processor can't do bf16 fast. */
  readonly precision?: Precision;
  /** A model from elsewhere, which must not use our kernels: they trust what they are given. */
  readonly foreign?: boolean;
}

export interface OnnxInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface OnnxOutput {
  readonly shape: readonly number[];
  /** Whether the model gives int32; exact as far as float32 is. */
  readonly isWhole: boolean;
  readonly data: Float32Array;
}

/** A model in ONNX Runtime's C interface, with the kernels of the domain `latentd`; it is loaded and run off the main thread. */
export interface OnnxSession {
  /**
   * Opens ONNX Runtime's library (once a process) and loads the model. Nodes name `weights` by their place; arrays must not
   * change until the session is disposed of. Rejects with ONNX Runtime's message.
   */
  load(
    library: string,
    model: Uint8Array,
    weights: readonly (Float32Array | StoredWeight)[],
    options: OnnxSessionOptions,
  ): Promise<void>;
  /** One result for each name in `outputs`, which must be of float32 or int32. Runs wait for each other; inputs must not change meanwhile. */
  run(inputs: readonly OnnxInput[], outputs: readonly string[]): Promise<OnnxOutput[]>;
  /** Has the run under way, if any, reject. */
  cancel(): void;
  /** What goes in and comes out, in the model's order. Throws before the session is loaded. */
  names(): { readonly inputs: readonly string[]; readonly outputs: readonly string[] };
  /** Frees the session once no run is under way; every later run throws. */
  dispose(): void;
}
