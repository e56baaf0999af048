/** What Comfy API v2 answers a request with that can't be done: `{error: {code, message, details}}`. */
import { safeText } from '../../../safe-text.js';

const MAX_MESSAGE = 2000;

export class ApiFault extends Error {
  override readonly name = 'ApiFault';

  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
    readonly details?: Readonly<Record<string, unknown>>,
  ) {
    super(message);
  }
}

export function faultBody(code: string, message: string, details?: Readonly<Record<string, unknown>>) {
  return {
    error: { code, message: safeText(message, MAX_MESSAGE), ...(details !== undefined && { details }) },
  };
}

export function notFound(what: string): ApiFault {
  return new ApiFault(404, 'not_found', `there is no such ${what}, or not any more`);
}
