/** From a workflow file's bytes to its text. */
import { existsSync } from 'node:fs';
import { bytesOf, withFileBytes, type Bytes } from './embedded/bytes.js';
import { carriedWorkflow } from './embedded/carried-workflow.js';
import { carriedTexts, type Carried } from './embedded/texts.js';
import { WorkflowError } from './faults.js';

/** The text of a workflow file; of a picture, film or sound, the workflow that it carries. Throws as `workflowText`, and what `node:fs` does. */
export function workflowFileText(path: string): string {
  // VideoHelperSuite keeps what a GIF can't carry in a picture beside it.
  const beside = path.replace(/\.gif$/i, '.png');
  const carries = beside === path || withFileBytes(path, carriesWorkflow);
  return withFileBytes(!carries && existsSync(beside) ? beside : path, textOf);
}

function carriesWorkflow(bytes: Bytes): boolean {
  const carried = carriedTexts(bytes);
  return carried !== undefined && carriedWorkflow(carried.texts) !== undefined;
}

/**
 * The text of a JSON file, which is UTF-8, or the workflow that a picture, film or sound carries. Throws `WorkflowError` for
 * any other encoding, naming the one that it looks like: read as UTF-8, prompts and file names in it would silently be
 * others; and for a picture that carries none.
 */
export function workflowText(bytes: Uint8Array): string {
  return textOf(bytesOf(bytes));
}

/** Whether a name is one of a file that may carry a workflow beside what it shows or plays. */
export function isMediaName(name: string): boolean {
  return /\.(png|webp|jpe?g|gif|avif|mp4|m4v|mov|webm|mkv|flac|ogg|opus|mp3)$/i.test(name);
}

/** Beyond any workflow; read as text, a film of gigabytes would fill memory. */
const MAX_FILE = 256 * 2 ** 20;

function textOf(bytes: Bytes): string {
  const carried = carriedTexts(bytes);
  if (carried !== undefined) return carriedWorkflow(carried.texts) ?? refuse(carried);
  if (bytes.size > MAX_FILE) throw tooLarge(bytes.size);
  return plainText(bytes.read(0, bytes.size));
}

function refuse({ kind, texts }: Carried): never {
  const found =
    texts.size === 0 ? 'it carries no texts' : `its texts are ${[...texts.keys()].slice(0, 20).join(', ')}`;
  throw new WorkflowError({
    error: {
      type: 'no_workflow',
      message: `This ${kind} carries no workflow`,
      details: `${found}; ComfyUI writes "prompt" and "workflow", A1111 "parameters"`,
      extra_info: {},
    },
    node_errors: {},
  });
}

function tooLarge(size: number): WorkflowError {
  const details = `it has ${size} bytes; a workflow has at most ${MAX_FILE}`;
  return new WorkflowError({
    error: { type: 'invalid_json', message: 'Not a workflow', details, extra_info: {} },
    node_errors: {},
  });
}

function plainText(bytes: Uint8Array): string {
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
