/** From a workflow file's bytes to its text. */
import { WorkflowError } from './faults.js';

/**
 * The text of a JSON file, which is UTF-8. Throws `WorkflowError` for any other encoding, naming the one that it looks like:
 * read as UTF-8, prompts and file names in it would silently be others.
 */
export function workflowText(bytes: Uint8Array): string {
  const wide = wideEncoding(bytes);
  if (wide !== undefined) throw notUtf8(wide);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  if (!text.includes('\ufffd')) return text;
  const again = new TextEncoder().encode(text);
  const at = bytes.findIndex((byte, index) => byte !== again[index]);
  if (at < 0) return text;
  const byte = bytes[at]!.toString(16).padStart(2, '0');
  throw notUtf8(`Latin-1 or Windows-1252 (byte ${at} is 0x${byte})`);
}

/** JSON begins with ASCII, so that zeros among the first bytes say how wide its characters are. */
function wideEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'UTF-32' : 'UTF-16';
  if (a === 0xfe && b === 0xff) return 'UTF-16';
  if (a === 0 && b === 0) return 'UTF-32';
  if (a === 0 || b === 0) return b === 0 && c === 0 ? 'UTF-32' : 'UTF-16';
  return undefined;
}

function notUtf8(encoding: string): WorkflowError {
  const details = `it looks like ${encoding}; save it as UTF-8`;
  return new WorkflowError({
    error: { type: 'invalid_json', message: 'The workflow is not UTF-8 text', details, extra_info: {} },
    node_errors: {},
  });
}
