/** What a torch pickle may hold. Nothing here has behaviour of its own: a file can only describe. */
import type { StoredDType } from '../../../native/dtypes.js';

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PickleValue[]
  | PickleDict
  | PickleTuple
  | GlobalName
  | Inert
  | DescribedObject
  | TorchStorage
  | TorchTensor;

export type PickleDict = Map<PickleValue, PickleValue>;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A name from the list of those that are allowed; it stands for itself until it is called. */
export class GlobalName {
  constructor(readonly qualified: string) {}
}

/** Something that is of no use for weights: bytes, a numpy scalar, a device, a callback's settings. */
export class Inert {
  constructor(readonly of: string) {}
}

/** An object of a class that is known by its name alone: what a file says of it, and nothing that could run. */
export class DescribedObject {
  /** Its attributes, or whatever its class would make of itself; undefined where the file says nothing. */
  state: PickleValue | undefined;

  constructor(readonly qualified: string) {}
}

export class TorchStorage {
  constructor(
    /** Names the file's record that holds the bytes. */
    readonly key: string,
    /** Undefined for bytes without a type, which come with tensors that name theirs. */
    readonly dtype: StoredDType | undefined,
    /** Values, or bytes where there is no type. */
    readonly length: number,
    /** Where a view of another storage begins in it, in values. */
    readonly start: number,
  ) {}
}

export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly dtype: StoredDType,
    /** All of these count values. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A pickle that is refused; whoever opened the file adds its path. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}
