/** Rows of a fused weight. */
export interface WeightRows {
  readonly start: number;
  readonly count: number;
}

/** A layer's name in a LoRA file, the denoiser's own key, and the rows of it that are meant where not all are. */
export type LoraName = readonly [name: string, key: string, rows?: WeightRows];

/** A LoRA's name of a text encoder's weight, and whose it is. */
export interface EncoderLoraName {
  readonly name: string;
  readonly encoder: string;
  /** The encoder's own key. */
  readonly key: string;
}
