/** A job that is turned away; the text goes to the client as it is. */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
  /** What a front over HTTP answers. */
  readonly status: number = 503;
}
