/** The half of a UNet of the openaimodel family that goes down, as read off its keys and shapes (ComfyUI comfy/model_detection.py). */
export interface UnetEncoderConfig {
  readonly inChannels: number;
  readonly modelChannels: number;
  /** Residual blocks a level, from the finest. */
  readonly residualBlocks: readonly number[];
  readonly channelMultipliers: readonly number[];
  /** Transformer depth of each residual block on the way down; 0 where there is none. */
  readonly transformerDepth: readonly number[];
  readonly transformerDepthMiddle: number;
  /** Width of the text that is attended to; 0 where nothing attends. */
  readonly contextDim: number;
  /** Width of the label embedding's input (pooled text and sizes), if any. */
  readonly admChannels?: number;
  readonly linearInTransformer: boolean;
  /** Either a fixed number of heads (SD 1.x: 8) or a fixed width of each (64). */
  readonly heads: { readonly count: number } | { readonly channels: number };
}

/** A whole UNet. */
export interface UnetConfig extends UnetEncoderConfig {
  readonly outChannels: number;
  /** Transformer depth of each residual block on the way up, in order of execution. */
  readonly transformerDepthOutput: readonly number[];
}
