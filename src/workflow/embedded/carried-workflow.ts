/** The workflow that a file's texts hold, as JSON text. */
import { JsonDepthError, JsonError, parseJson } from '../../python/json.js';
import { isLiteralObject, pythonJson, type Literal } from '../literal.js';
import { isEditorWorkflow } from '../editor/graph.js';
import { workflowOfParameters } from './parameters-workflow.js';

/**
 * The API form, with the editor's beside it as ComfyUI's clients send both, so that pictures made of it carry both again; the
 * editor's alone where there is no other; or a workflow that does what A1111's parameters say. Undefined for texts that hold
 * none of them.
 */
export function carriedWorkflow(texts: ReadonlyMap<string, string>): string | undefined {
  const all = new Map<string, Literal>();
  for (const [key, text] of texts) {
    const value = key === 'parameters' ? undefined : literalIn(text);
    if (value === undefined) continue;
    // VideoHelperSuite's older versions, and packs that save JPEGs, keep all in one.
    if (key === 'comment' || key === 'description') addUnpacked(value, all);
    else all.set(key, unpacked(value));
  }
  const prompt = all.get('prompt');
  const workflow = all.get('workflow');
  if (prompt !== undefined && isPrompt(prompt)) {
    all.delete('prompt');
    const extra = new Map([...all].filter(([, value]) => isLiteralObject(value)));
    const body = new Map<string, Literal>([['prompt', prompt]]);
    if (extra.size > 0) body.set('extra_data', new Map([['extra_pnginfo', extra]]));
    return pythonJson(body);
  }
  // Some write the API form under the other's name.
  if (workflow !== undefined && (isEditorWorkflow(workflow) || isPrompt(workflow)))
    return pythonJson(workflow);
  const parameters = texts.get('parameters') ?? texts.get('usercomment');
  return parameters === undefined ? undefined : workflowOfParameters(parameters);
}

function addUnpacked(value: Literal, all: Map<string, Literal>): void {
  if (!isLiteralObject(value)) return;
  const form = isPrompt(value) ? 'prompt' : isEditorWorkflow(value) ? 'workflow' : undefined;
  if (form !== undefined) {
    all.set(form, value);
    return;
  }
  for (const [key, inner] of value) if (!all.has(key)) all.set(key.toLowerCase(), unpacked(inner));
}

/** A text of JSON in JSON is what it says. */
function unpacked(value: Literal): Literal {
  return typeof value === 'string' ? (literalIn(value) ?? value) : value;
}

const MAX_DEPTH = 200;

function literalIn(text: string): Literal | undefined {
  if (!/^\s*[{["]/.test(text)) return undefined;
  try {
    return parseJson(text, MAX_DEPTH);
  } catch (error) {
    if (error instanceof JsonError || error instanceof JsonDepthError) return undefined;
    throw error;
  }
}

function isPrompt(value: Literal | undefined): boolean {
  if (!isLiteralObject(value) || value.size === 0) return false;
  return [...value.values()].every((node) => isLiteralObject(node) && node.has('class_type'));
}
