// Converts every workflow of some folders from the editor's form, and compares with the API's form where a file carries both.
//
//   node tools/workflow-corpus.mjs [--object-info FILE] [--verbose] FOLDER…
//
// FILE is an object_info as ComfyUI's server answers, for classes that latentd lacks or has otherwise. Needs dist/.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { createFolders } from '../dist/models/folders/folders.js';
import { nodeClasses } from '../dist/nodes/index.js';
import { infoByName } from '../dist/workflow/object-info.js';
import { convertEditorWorkflow } from '../dist/workflow/editor/convert.js';
import { bytesOf } from '../dist/workflow/embedded/bytes.js';
import { carriedTexts } from '../dist/workflow/embedded/texts.js';
import { WorkflowError } from '../dist/workflow/faults.js';
import { parseJson } from '../dist/python/json.js';

const { values: flags, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: { 'object-info': { type: 'string' }, verbose: { type: 'boolean' } },
});
const given = flags['object-info'] && JSON.parse(readFileSync(flags['object-info'], 'utf8'));
const own = infoByName(
  nodeClasses,
  createFolders({ models: '/none', input: '/none', output: '/none', temp: '/none' }),
);
const infoOf = (name) => (given && Object.hasOwn(given, name) ? given[name] : own(name));

const ENDINGS = /\.(png|webp|jpe?g|gif|avif|mp4|mov|webm|mkv|flac|mp3|opus|ogg|json)$/i;
const counts = {
  files: 0,
  editor: 0,
  both: 0,
  equal: 0,
  unequal: 0,
  converted: 0,
  incomplete: 0,
  refused: 0,
  crashed: 0,
  api: 0,
};
const missing = new Map();
const unequal = [];

for (const folder of folders) {
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, entry);
    if (!ENDINGS.test(entry) || !statSync(path).isFile()) continue;
    counts.files++;
    look(path, readFileSync(path), relative('.', path));
  }
}
console.log(counts);
console.log(
  'missing classes:',
  [...missing]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 30)
    .map(([name, count]) => `${name} ${count}`)
    .join(', '),
);
for (const line of unequal) console.log(line);
process.exitCode = counts.crashed > 0 ? 1 : 0;

function look(path, bytes, name) {
  const carried = carriedTexts(bytesOf(bytes));
  const read = (text) => {
    try {
      return text === undefined ? undefined : parseJson(text, 200);
    } catch {
      return undefined;
    }
  };
  const own = carried === undefined ? read(bytes.toString('utf8').replace(/^\ufeff/, '')) : undefined;
  const editor = own ?? read(carried?.texts.get('workflow'));
  const api = own === undefined ? read(carried?.texts.get('prompt')) : undefined;
  if (!(editor instanceof Map) || !Array.isArray(editor.get('nodes'))) {
    if (
      editor instanceof Map &&
      [...editor.values()].every((node) => node instanceof Map && node.has('class_type'))
    )
      counts.api++;
    return;
  }
  if (!editor.get('nodes').every((node) => node instanceof Map && node.has('type'))) return;
  counts.editor++;
  try {
    const { prompt, incomplete } = convertEditorWorkflow(editor, { infoOf, random: () => 0 });
    const lacking = new Set(
      [...prompt.values()].map((node) => node.get('class_type')).filter((type) => infoOf(type) === undefined),
    );
    for (const type of lacking) missing.set(type, (missing.get(type) ?? 0) + 1);
    if (incomplete.length > 0) counts.incomplete++;
    else counts.converted++;
    if (!(api instanceof Map) || incomplete.length > 0) return;
    counts.both++;
    const found = differences(prompt, api);
    if (found.length === 0) counts.equal++;
    else {
      counts.unequal++;
      unequal.push(
        `${name}: ${found.slice(0, flags.verbose ? 50 : 3).join('; ')}${lacking.size > 0 ? ` (lacks ${[...lacking].join(', ')})` : ''}`,
      );
    }
  } catch (error) {
    if (error instanceof WorkflowError) {
      counts.refused++;
      if (api instanceof Map || flags.verbose) unequal.push(`${name}: refused: ${error.message}`);
      return;
    }
    counts.crashed++;
    unequal.push(`${name}: CRASHED: ${error.stack}`);
  }
}

/** What differs, but for inputs that the class has got since (with their defaults), and those that it doesn't know. */
function differences(prompt, api) {
  const found = [];
  for (const id of new Set([...prompt.keys(), ...api.keys()])) {
    const [mine, theirs] = [prompt.get(id), api.get(id)];
    if (mine === undefined || theirs === undefined) {
      found.push(
        `${id} ${(mine ?? theirs).get('class_type')} ${mine === undefined ? 'is lacking' : 'is too many'}`,
      );
      continue;
    }
    if (mine.get('class_type') !== theirs.get('class_type'))
      found.push(`${id}: ${mine.get('class_type')} for ${theirs.get('class_type')}`);
    const [inputs, wanted] = [mine.get('inputs'), theirs.get('inputs')];
    const info = infoOf(theirs.get('class_type'));
    const known =
      info && new Set([...Object.keys(info.input.required ?? {}), ...Object.keys(info.input.optional ?? {})]);
    for (const [key, value] of wanted) {
      if (known && !known.has(key) && !inputs.has(key)) continue;
      if (!same(inputs.get(key), value))
        found.push(`${id} ${theirs.get('class_type')}.${key}: ${show(inputs.get(key))} for ${show(value)}`);
    }
    for (const [key, value] of inputs) {
      if (!wanted.has(key) && Array.isArray(value))
        found.push(`${id} ${theirs.get('class_type')}.${key}: ${show(value)} for nothing`);
    }
  }
  return found;
}

function same(one, other) {
  if (typeof one === 'number' || typeof one === 'bigint')
    return Number(one) === Number(other) && typeof other !== 'string';
  if (one instanceof Map)
    return (
      other instanceof Map &&
      one.size === other.size &&
      [...one].every(([key, value]) => same(value, other.get(key)))
    );
  if (Array.isArray(one))
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((value, index) => same(value, other[index]))
    );
  return one === other;
}

function show(value) {
  const text = JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? Number(each) : each instanceof Map ? Object.fromEntries(each) : each,
  );
  return text === undefined ? 'nothing' : text.slice(0, 80);
}
