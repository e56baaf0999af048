/** Node packs: packages whose `nodes` are node classes (docs/node-packs.md). */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { nodeClasses } from '../nodes/index.js';
import type { AnyNodeClass, InputSpec } from '../nodes/definition.js';
import { safeLine } from '../safe-text.js';

/** A node pack that can't be used; the message names it. */
export class NodePackError extends Error {
  override readonly name = 'NodePackError';

  constructor(
    readonly pack: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(safeLine(`node pack ${pack}: ${reason}`), options);
  }
}

/**
 * The node classes of packs, for `createEngine`. A pack is named as a package, which is looked for in the `node_modules` of
 * `from` and of the folders above, then beside latentd itself; or as a folder or a file, by a path. Throws `NodePackError`
 * for a pack that isn't there, fails to load, or whose classes are not sound or have names that are taken.
 */
export async function loadNodePacks(
  packs: readonly string[],
  from = process.cwd(),
): Promise<readonly AnyNodeClass[]> {
  const taken = new Map([...nodeClasses.keys()].map((name) => [name, 'latentd itself']));
  const loaded: AnyNodeClass[] = [];
  for (const pack of new Set(packs)) {
    for (const node of await loadPack(pack, from)) {
      const owner = taken.get(node.name);
      if (owner !== undefined) {
        throw new NodePackError(
          pack,
          `its class ${node.name} has the name of one of ${owner}; give it another`,
        );
      }
      taken.set(node.name, `node pack ${pack}`);
      loaded.push(node);
    }
  }
  return loaded;
}

async function loadPack(pack: string, from: string): Promise<readonly AnyNodeClass[]> {
  const entry = entryOf(pack, from);
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(pathToFileURL(entry).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new NodePackError(pack, `${entry} fails to load: ${message}`, { cause });
  }
  const nodes = exported['nodes'] ?? exported['default'];
  if (!Array.isArray(nodes)) {
    throw new NodePackError(pack, `${entry} must export a list of node classes as \`nodes\``);
  }
  return nodes.map((node: unknown, index) => checked(pack, node, index));
}

/** The file that a pack's name stands for. */
function entryOf(pack: string, from: string): string {
  const isPath = pack.startsWith('.') || isAbsolute(pack);
  const place = isPath ? resolve(from, pack) : findPackage(pack, from);
  if (place === undefined) {
    throw new NodePackError(
      pack,
      `no such package is installed in ${from} or above; or name it by a path (./NAME)`,
    );
  }
  if (!existsSync(place)) throw new NodePackError(pack, `${place} is not there`);
  if (statSync(place).isFile()) return place;
  const entry = join(place, mainOf(pack, place));
  if (existsSync(entry)) return entry;
  throw new NodePackError(pack, `${entry} is not there; is the pack built?`);
}

function findPackage(name: string, from: string): string | undefined {
  for (const start of [resolve(from), dirname(fileURLToPath(import.meta.url))]) {
    for (let folder = start; ; folder = dirname(folder)) {
      const place = join(folder, 'node_modules', name);
      if (existsSync(place)) return place;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}

/** What a package's package.json calls its main file: `exports` for imports, else `main`. */
function mainOf(pack: string, folder: string): string {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return 'index.js';
  let manifest: { readonly exports?: unknown; readonly main?: unknown };
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as typeof manifest;
  } catch (cause) {
    throw new NodePackError(pack, `${path} can't be read: ${(cause as Error).message}`, { cause });
  }
  const main = exportedFile(manifest.exports) ?? manifest.main;
  return typeof main === 'string' ? main : 'index.js';
}

const CONDITIONS = ['node', 'import', 'default'];

function exportedFile(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return undefined;
  const fields = exports as Readonly<Record<string, unknown>>;
  if ('.' in fields) return exportedFile(fields['.']);
  const condition = CONDITIONS.find((name) => name in fields);
  return condition === undefined ? undefined : exportedFile(fields[condition]);
}

const TEXTS = ['name', 'displayName', 'category', 'description'] as const;

/** A node class of a pack, which may be written in JavaScript, or against another version. */
function checked(pack: string, node: unknown, index: number): AnyNodeClass {
  const fields = (typeof node === 'object' && node !== null ? node : {}) as Readonly<Record<string, unknown>>;
  const named = typeof fields['name'] === 'string' ? ` (${fields['name']})` : '';
  const wrong = (what: string) => new NodePackError(pack, `nodes[${index}]${named}: ${what}`);
  for (const field of TEXTS) {
    if (typeof fields[field] !== 'string') throw wrong(`${field} must be text`);
  }
  if (fields['name'] === '') throw wrong('name must not be empty');
  if (typeof fields['run'] !== 'function') throw wrong('run must be a function');
  if (!Array.isArray(fields['outputs'])) throw wrong('outputs must be a list');
  for (const output of fields['outputs'] as readonly unknown[]) {
    const { type, name } = (output ?? {}) as { readonly type?: unknown; readonly name?: unknown };
    if (typeof type !== 'string' || typeof name !== 'string')
      throw wrong('outputs must have a type and a name each');
  }
  for (const table of ['required', 'optional'] as const) {
    const specs = fields[table];
    if (typeof specs !== 'object' || specs === null) throw wrong(`${table} must be an object of inputs`);
    for (const [name, spec] of Object.entries(specs as Readonly<Record<string, unknown>>)) {
      const { kind } = (spec ?? {}) as { readonly kind?: unknown };
      if (typeof kind !== 'string' || !KINDS.has(kind)) {
        throw wrong(`${table}.${name} must be made by an input builder of latentd/nodes`);
      }
    }
  }
  return node as AnyNodeClass;
}

const KINDS: ReadonlySet<string> = new Set<InputSpec['kind']>([
  ...(['INT', 'SEED', 'FLOAT', 'STRING', 'BOOLEAN', 'COMBO', 'MULTICOMBO', 'LINK', 'MULTITYPE'] as const),
  ...(['MATCH', 'AUTOGROW', 'DYNAMICCOMBO', 'DYNAMICSLOT'] as const),
]);
