/** A video that can't be read, or made. The message is for the user. */
export class VideoError extends Error {
  override readonly name = 'VideoError';
}
