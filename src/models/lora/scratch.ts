/**
 * Working memory that one change after another uses. The system hands out fresh memory at about a gigabyte a second, far
 * slower than LoRAs are computed; this is kept while a model loads and is the garbage collector's afterwards.
 */
export class Scratch {
  private held: WeakRef<Float32Array> | undefined;

  /** `length` zeros, good until the next call. */
  zeros(length: number): Float32Array {
    let array = this.held?.deref();
    if (array === undefined || array.length < length) {
      array = new Float32Array(length);
      this.held = new WeakRef(array);
      return array;
    }
    return array.subarray(0, length).fill(0);
  }
}
