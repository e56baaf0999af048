/** Pictures that a network's tokens attend to beside the text (IP-Adapter). */
import type { Tensor } from '../../compute/tensor.js';

/** A block of a network whose tokens attend to the text. */
export interface CrossAttentionBlock {
  /** Which of the network's `transformers` it is in, in order of execution. */
  readonly transformer: number;
  readonly transformers: number;
  readonly side: 'input' | 'middle' | 'output';
  /** Its number where those of the middle come last. */
  readonly module: number;
  /** Places that it has. */
  readonly tokens: number;
}

/** An evaluation of the network. */
export interface PictureEvaluation {
  readonly sigma: number;
  readonly rows: number;
  /** Of each condition, of `rows / prompts.length` rows each: 0 with the prompt, else the prompt's number in its guidance. */
  readonly prompts: readonly number[];
  /** The latent's. */
  readonly height: number;
  readonly width: number;
  /** In order of execution. */
  readonly blocks: readonly CrossAttentionBlock[];
}

/** What a block attends to, and what is added of it. */
export interface BlockPictures {
  /** N×T×C */
  readonly key: Tensor;
  readonly value: Tensor;
  /** N×tokens×1: how much the pictures count at each place. */
  readonly mask?: Tensor | undefined;
}

export interface AttendedPictures {
  /** Changes exactly when what it gives would. */
  readonly identity: string;
  /** Block by block; undefined where it adds nothing at any noise level. */
  attend(evaluation: PictureEvaluation): Promise<readonly (BlockPictures | undefined)[]>;
  /** Its identity, which stands for it where changes are written down. */
  toJSON(): string;
}
