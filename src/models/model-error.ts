/** A model file that is missing, damaged, or of a family that isn't known. The message says which, and what would be right. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}
