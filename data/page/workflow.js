/** Workflows: read from files, and told in a few lines. */

const PNG = [137, 80, 78, 71, 13, 10, 26, 10];

/** The API-format workflow of a JSON file or a PNG, as text. Throws an `Error` that says what is missing. */
export async function workflowOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const text = PNG.every((byte, at) => bytes[at] === byte)
    ? pngText(bytes, 'prompt')
    : decoded(bytes, file.name);
  if (text === undefined) throw new Error(`${file.name}: this picture has no workflow in it`);
  return promptOf(text, file.name);
}

function decoded(bytes, name) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${name}: neither a workflow (JSON) nor a PNG picture`);
  }
}

/** Of a workflow, or of a /prompt body around one. */
export function promptOf(text, name) {
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
  if (parsed === null || typeof parsed !== 'object') throw new Error(`${name}: this is no workflow`);
  if (Array.isArray(parsed.nodes) && Array.isArray(parsed.links)) {
    throw new Error(`${name}: this is the editor's own format; save it there by "Export (API)"`);
  }
  // Sliced out of the text rather than written anew, for its numbers.
  return isPrompt(parsed.prompt) ? member(text, 'prompt') : text;
}

function isPrompt(value) {
  return value !== null && typeof value === 'object' && Object.values(value).some((node) => node?.class_type);
}

/** The text of a member of a JSON object. */
function member(text, name) {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      const isKey = depth === 1 && /^\s*:/.test(text.slice(end));
      if (isKey && JSON.parse(text.slice(at, end)) === name) return valueAt(text, text.indexOf(':', end) + 1);
      at = end - 1;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
  }
  return text;
}

function valueAt(text, from) {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return text.slice(from, at + 1);
  }
  return text;
}

function endOfString(text, start) {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** A text chunk of a PNG. */
function pngText(bytes, keyword) {
  const view = new DataView(bytes.buffer);
  const latin1 = new TextDecoder('latin1');
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = latin1.decode(bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + view.getUint32(at));
    const end = body.indexOf(0);
    if (end < 0 || latin1.decode(body.subarray(0, end)) !== keyword) continue;
    if (type === 'tEXt') return latin1.decode(body.subarray(end + 1));
    // Behind two flags, the language and the translated keyword.
    if (type !== 'iTXt' || body[end + 1] !== 0) continue;
    const language = body.indexOf(0, end + 3);
    return new TextDecoder().decode(body.subarray(body.indexOf(0, language + 1) + 1));
  }
  return undefined;
}

const SEEDS = new Set(['seed', 'noise_seed']);

/** The same with every seed drawn anew, as text. */
export function withNewSeeds(prompt) {
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
  return JSON.stringify(prompt, (key, value) => (SEEDS.has(key) && !Array.isArray(value) ? drawn : value));
}

const FACTS = [
  ['Checkpoint', ['ckpt_name', 'unet_name']],
  ['LoRA', ['lora_name']],
  ['Prompt', ['text', 'prompt']],
  ['Size', ['width']],
  ['Seed', ['seed', 'noise_seed']],
  ['Steps', ['steps']],
  ['CFG', ['cfg']],
  ['Sampler', ['sampler_name']],
  ['Scheduler', ['scheduler']],
];

/** What people ask first of a workflow: `[name, value]`. */
export function factsOf(prompt) {
  const nodes = Object.values(prompt).filter((node) => node?.inputs);
  return FACTS.flatMap(([name, inputs]) => {
    const values = nodes.flatMap(({ inputs: given }) =>
      inputs
        .filter((input) => given[input] !== undefined && !Array.isArray(given[input]) && given[input] !== '')
        .map((input) => (input === 'width' ? `${given.width}×${given.height ?? '?'}` : asText(given[input]))),
    );
    return values.length === 0 ? [] : [[name, [...new Set(values)].join('\n')]];
  });
}

function asText(value) {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A line for a queue. */
export function titleOf(prompt) {
  const facts = Object.fromEntries(factsOf(prompt));
  return (facts.Prompt ?? facts.Checkpoint ?? 'a workflow').split('\n')[0];
}
