/** A request that can't be done, as OpenAI tells it. */
export class OpenAiFault extends Error {
  override readonly name = 'OpenAiFault';

  constructor(
    readonly statusCode: number,
    message: string,
    readonly details: { readonly param?: string; readonly code?: string } = {},
  ) {
    super(message);
  }
}

/** `{error: {message, type, param, code}}`. */
export function faultBody(
  status: number,
  message: string,
  { param, code }: { readonly param?: string; readonly code?: string } = {},
) {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  return { error: { message, type, param: param ?? null, code: code ?? null } };
}
