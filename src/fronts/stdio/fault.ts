/** What is wrong with a request, as its host is told. */
import { safeText } from '../../safe-text.js';

export type FaultCode =
  | 'invalid_json'
  | 'invalid_request'
  | 'unknown_method'
  | 'model_not_found'
  | 'file_not_found'
  | 'invalid_workflow'
  | 'unsupported'
  | 'refused'
  | 'failed'
  | 'cancelled'
  | 'stopping';

const MAX_MESSAGE = 4000;

export class StdioFault extends Error {
  override readonly name = 'StdioFault';

  constructor(
    readonly code: FaultCode,
    message: string,
    /** The field that is wrong, as the host wrote it. */
    readonly parameter?: string,
  ) {
    super(safeText(message, MAX_MESSAGE));
  }
}
