/** Reads a workflow in whatever form it is in and writes it as the API takes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { settingValues, type ResolvedSettings } from '../../config/resolve-settings.js';
import { nodeClasses } from '../../nodes/index.js';
import { describeOrigin, packOf } from '../../workflow/class-origins.js';
import { convertEditorWorkflow } from '../../workflow/editor/convert.js';
import type { InfoOf } from '../../workflow/editor/widgets.js';
import { WorkflowError } from '../../workflow/faults.js';
import { indentedJson, toJson, type Json, type LiteralObject } from '../../workflow/literal.js';
import { infoByName } from '../../workflow/object-info.js';
import { parseWorkflow } from '../../workflow/parse.js';
import { UsageError } from '../exit-codes.js';
import { openFolders } from '../open-folders.js';
import { openNodePacks } from '../open-node-packs.js';
import { readWorkflow } from '../run/read-workflow.js';
import { randomFrom } from './random-from.js';

export interface ConvertFlags {
  readonly out?: string;
  readonly seed?: string;
  readonly objectInfo?: string;
}

export interface ConvertOutcome {
  readonly json: {
    readonly status: 'success' | 'invalid';
    readonly workflow?: Json;
    readonly missing?: readonly MissingClass[];
    readonly error?: { readonly type: string; readonly message: string };
  };
  /** The workflow as JSON text. */
  readonly text?: string;
  readonly notices: readonly string[];
  readonly refusal?: string;
}

interface MissingClass {
  readonly class_type: string;
  /** `owner/name` on GitHub. */
  readonly pack?: string;
}

/** Throws `UsageError` and `ConfigError`; what is wrong with the workflow is the outcome's `refusal`. */
export async function convertFile(
  named: string,
  flags: ConvertFlags,
  settings: ResolvedSettings,
): Promise<ConvertOutcome> {
  const values = settingValues(settings);
  const folders = await openFolders(values);
  const packed = await openNodePacks(values.nodePack);
  const registry = new Map([...nodeClasses, ...packed.map((node) => [node.name, node] as const)]);
  const own = infoByName(registry, folders);
  const given = flags.objectInfo === undefined ? undefined : readObjectInfo(flags.objectInfo);
  const infoOf: InfoOf = (name) => own(name) ?? given?.(name);
  const random = flags.seed === undefined ? undefined : randomFrom(readSeed(flags.seed));
  const nameless = new Set<string>();
  try {
    const { text } = await readWorkflow(named, values.graphs);
    const fromEditor = (editor: LiteralObject) => {
      const { prompt, incomplete } = convertEditorWorkflow(editor, { infoOf, ...(random && { random }) });
      for (const name of incomplete) nameless.add(name);
      return prompt;
    };
    const { nodes } = parseWorkflow(text, { fromEditor });
    const prompt = new Map([...nodes].map(([id, { source }]) => [id, source]));
    const classes = new Set([...nodes.values()].map(({ classType }) => classType));
    const missing = [...classes].filter((name) => !registry.has(name));
    const told = missing.map(
      (name) => `${name}: ${describeOrigin(name, (each) => registry.has(each)) ?? 'of an unknown pack'}`,
    );
    if (nameless.size > 0) return refused('missing_node_type', missing, describeNameless(nameless, told));
    const json = indentedJson(prompt);
    if (flags.out !== undefined) write(flags.out, json);
    return {
      json: {
        status: 'success',
        workflow: toJson(prompt),
        ...(missing.length > 0 && { missing: missing.map(missingClass) }),
      },
      text: json,
      notices: told.map((line) => `latentd lacks ${line}`),
    };
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    return refused(error.report.error.type, [], error.message);
  }
}

function describeNameless(nameless: ReadonlySet<string>, told: readonly string[]): string {
  return [
    `the names of some values are not known, for classes are missing (--object-info names them): ${[...nameless].join(', ')}`,
    ...told.map((line) => `  ${line}`),
  ].join('\n');
}

function refused(type: string, missing: readonly string[], message: string): ConvertOutcome {
  return {
    json: {
      status: 'invalid',
      ...(missing.length > 0 && { missing: missing.map(missingClass) }),
      error: { type, message },
    },
    notices: [],
    refusal: message,
  };
}

function missingClass(name: string): MissingClass {
  const pack = packOf(name)?.repository;
  return { class_type: name, ...(pack !== undefined && { pack }) };
}

function readSeed(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--seed must be a whole number, not ${JSON.stringify(text)}`);
}

function write(file: string, json: string): void {
  try {
    writeFileSync(file, `${json}\n`);
  } catch (error) {
    throw new UsageError(
      `${file} can't be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

const input = z.record(z.string(), z.tuple([z.json()]).rest(z.json())).optional();
const nodeInfo = z.looseObject({
  input: z.looseObject({ required: input, optional: input }),
  output: z.array(z.json()),
});

function readObjectInfo(file: string): InfoOf {
  try {
    const all = z.record(z.string(), nodeInfo).parse(JSON.parse(readFileSync(file, 'utf8')));
    return (name) => (Object.hasOwn(all, name) ? all[name] : undefined);
  } catch (error) {
    const why =
      error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : (error as Error).message;
    throw new UsageError(`${file} is no object_info of ComfyUI's: ${why}`);
  }
}
