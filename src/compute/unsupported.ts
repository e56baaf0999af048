/** An operation that the CUDA engine has no kernel for. The message names it. */
export class UnsupportedOperation extends Error {
  override readonly name = 'UnsupportedOperation';
}
