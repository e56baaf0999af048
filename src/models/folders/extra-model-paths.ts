/** ComfyUI's `extra_model_paths.yaml` (ComfyUI utils/extra_config.py, load_extra_path_config). */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseDocument, type ScalarTag, type Tags } from 'yaml';
import { modelKinds, type ExtraModelPath } from './model-folders.js';
import { ModelError } from '../model-error.js';

/**
 * Reads the folders that the file adds: one section a program, each with an optional `base_path` and `is_default`, then a
 * kind with one folder a line. Kinds that latentd has no use for are passed over. Relative paths count from `base_path`, and
 * that one, like paths without it, from the file's own folder. Throws `ModelError` naming the file and what is wrong in it.
 */
export function readExtraModelPaths(file: string): ExtraModelPath[] {
  const found: ExtraModelPath[] = [];
  const folder = dirname(resolve(file));
  for (const [name, section] of Object.entries(asMapping(parse(file), file, 'the file'))) {
    if (section === null) continue;
    const { base_path: base, is_default: isDefault, ...kinds } = asMapping(section, file, name);
    if (base !== undefined && typeof base !== 'string') {
      throw new ModelError(`${file}: ${name}.base_path must be a path, not ${describe(base)}`);
    }
    const root = base === undefined ? folder : resolve(folder, expand(base));
    for (const [kind, lines] of Object.entries(kinds)) {
      const known = modelKinds(kind);
      if (known.length === 0) continue;
      if (typeof lines !== 'string') {
        throw new ModelError(
          `${file}: ${name}.${kind} must be one folder a line (a text after "|"), not ${describe(lines)}`,
        );
      }
      for (const line of lines.split('\n').map((text) => text.trim())) {
        if (line === '') continue;
        const path = resolve(root, line);
        found.push(...known.map((kind) => ({ kind, path, isDefault: isTruthy(isDefault) })));
      }
    }
  }
  return found;
}

function parse(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ModelError(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  // PyYAML reads YAML 1.1: `yes` and `on` are true, `<<` merges, and of two equal keys the last one counts.
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    customTags: (tags) => tags.map((tag) => (isBoolean(tag) ? { ...tag, test: booleanWords(tag) } : tag)),
  });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) throw new ModelError(`${file} is no valid YAML: ${fault.message}`);
  return document.toJS() ?? {};
}

/** ComfyUI asks Python whether `is_default` is true, and to Python any text but an empty one is. */
function isTruthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function isBoolean(tag: Tags[number]): tag is ScalarTag {
  return typeof tag === 'object' && tag.tag === 'tag:yaml.org,2002:bool';
}

/** YAML 1.1 has `y` and `n` as booleans; to PyYAML they are texts. */
function booleanWords({ test }: ScalarTag): RegExp {
  return test?.test('yes') === true
    ? /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/
    : /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
}

function asMapping(value: unknown, file: string, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new ModelError(`${file}: ${what} must be a mapping of names, not ${describe(value)}`);
}

function describe(value: unknown): string {
  if (value === null) return 'empty';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'a mapping' : JSON.stringify(value);
}

/** `~` and `$NAME` or `${NAME}` as Python's expanduser and expandvars do; an unset variable stays as it is written. */
function expand(path: string): string {
  const home = path === '~' || path.startsWith('~/') ? homedir() + path.slice(1) : path;
  return home.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (text, braced?: string, bare?: string) => process.env[braced ?? bare ?? ''] ?? text,
  );
}
