/** What a job should take before any of its kind was measured: counted work at the measured speed of the machine. */
import type { PartWork, CountedWork } from '../engine/picture-work.js';

/** Seconds of a picture's parts. */
export interface FirstEstimate {
  /** From the disk, with what making programs of the weights takes. */
  readonly loading: number;
  readonly encoding: number;
  /** A step. */
  readonly sampling: number;
  readonly decoding: number;
}

/*
 * Measured on two cores of a server's EPYC processor, 420 GFLOP/s, at 256×256: tiny models' steps of 300 and 640 operations, a
 * whole SD 1.5's, and their decoders, come to within a third of these figures.
 */

/** Of the speed of large products, what whole networks reach by nominal counts: Winograd's convolutions gain what others lose. */
const EFFICIENCY = 1;
/** Seconds that an operation takes however small it is. */
const OPERATION_SECONDS = 60e-6;
/** Seconds to make an operation part of a program. */
const PREPARATION_SECONDS = 0.2e-3;
/** Bytes a second of weights: an SSD's. From memory, where the kernel has kept a file, they come three times as fast. */
const LOADING_RATE = 2.5e9;

/** `speed`: FLOP a second of a large matrix product on the engine. */
export function firstEstimate(
  { bytes, encoding, step, decoding }: CountedWork,
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
