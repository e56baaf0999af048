/** What lies where in a picture, told to a network in words (GLIGEN). */
import type { Tensor } from '../../compute/tensor.js';
import type { WeightSource } from '../weights/weight-source.js';

/** A text, and its rectangle in latent pixels. */
export interface GroundedBox {
  /** 1×C: the text's pooled encoding. */
  readonly text: Tensor;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Layers beside those of a network's transformer blocks, and what makes tokens of boxes. */
export interface GroundingModel {
  /** Changes with the file. */
  readonly identity: string;
  readonly weights: WeightSource;
  /** Of each transformer block, in order of execution. */
  readonly blocks: readonly GroundingBlock[];
  /** 1×30×C for a latent of `height` × `width`. Throws `ModelError` for more boxes than there are tokens. */
  tokens(boxes: readonly GroundedBox[], height: number, width: number): Tensor;
  toJSON(): string;
}

export interface GroundingBlock {
  /** Of its layers in the file. */
  readonly path: string;
  readonly heads: number;
}

/** A model of groundings with the boxes of one prompt. */
export interface Grounding {
  readonly model: GroundingModel;
  readonly boxes: readonly GroundedBox[];
  /** What it changes with; stands for it where changes are written down. */
  toJSON(): string;
}
