/** A request that can't be done, with the HTTP status that says what kind of fault it is. The text goes to the client. */
export class HttpFault extends Error {
  override readonly name = 'HTTPException';

  constructor(
    readonly statusCode: number,
    detail: string,
  ) {
    super(detail);
  }
}
