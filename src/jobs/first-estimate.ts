/** What a job should take before any of its kind was measured: counted work at the measured speed of the machine. */
import type { PartWork, PictureWork } from '../engine/picture-work.js';

/** Seconds of a picture's parts. */
export interface FirstEstimate {
  /** From the disk, with what making programs of the weights takes. */
  readonly loading: number;
  readonly encoding: number;
  /** A step. */
  readonly sampling: number;
  readonly decoding: number;
}

/** Of the speed of large matrix products, what whole networks reach. */
const EFFICIENCY = 0.5;
/** Seconds that an operation takes however small it is. */
const OPERATION_SECONDS = 20e-6;
/** Seconds to make an operation part of a program. */
const PREPARATION_SECONDS = 1e-3;
/** Bytes a second of weights read, converted and packed. */
const LOADING_RATE = 1e9;

/** `speed`: FLOP a second of a large matrix product on the engine. */
export function firstEstimate(
  { bytes, encoding, step, decoding }: PictureWork,
  speed: number,
): FirstEstimate {
  const secondsOf = ({ flops, operations }: PartWork) =>
    flops / (speed * EFFICIENCY) + operations * OPERATION_SECONDS;
  const operations = encoding.operations + step.operations + decoding.operations;
  return {
    loading: bytes / LOADING_RATE + operations * PREPARATION_SECONDS,
    encoding: secondsOf(encoding),
    sampling: secondsOf(step),
    decoding: secondsOf(decoding),
  };
}
