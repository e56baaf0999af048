/** References to assets in a workflow (`{"__type": "core/ASSET", "info": {"id": …}}`) become names of files. */
import { JsonError, JsonDepthError, JsonSizeError, parseJson } from '../../../python/json.js';
import { isLiteralObject, pythonJson, type Literal, type LiteralObject } from '../../../workflow/literal.js';
import { ApiFault } from './fault.js';

const MAX_DEPTH = 100;
const MAX_VALUES = 1_000_000;

/** A body as it was written: integers keep all their digits. Throws `ApiFault` (422). */
export function readBody(text: string): LiteralObject {
  let body: Literal;
  try {
    body = parseJson(text.replace(/^\ufeff/, ''), MAX_DEPTH, MAX_VALUES);
  } catch (error) {
    const isJson = [JsonError, JsonDepthError, JsonSizeError].some((kind) => error instanceof kind);
    if (!isJson || !(error instanceof Error)) throw error;
    throw new ApiFault(422, 'invalid_request', `the body is not JSON: ${error.message}`);
  }
  if (isLiteralObject(body)) return body;
  throw new ApiFault(422, 'invalid_request', 'the body must be an object: {"workflow": {…}}');
}

/** The workflow's JSON text, with `nameOf` what stands for an asset of an id. */
export async function withAssetNames(
  workflow: Literal,
  nameOf: (id: string) => Promise<string | undefined>,
): Promise<string> {
  const replace = async (value: Literal, where: string): Promise<Literal> => {
    if (Array.isArray(value)) {
      return Promise.all((value as readonly Literal[]).map((item) => replace(item, where)));
    }
    if (!isLiteralObject(value)) return value;
    if (value.get('__type') !== 'core/ASSET') {
      const items = [...value].map(
        async ([key, item]) => [key, await replace(item, `${where}/${key}`)] as const,
      );
      return new Map(await Promise.all(items));
    }
    const info = value.get('info');
    const id = isLiteralObject(info) ? info.get('id') : undefined;
    const name = typeof id === 'string' ? await nameOf(id) : undefined;
    if (name !== undefined) return name;
    const what = typeof id === 'string' ? `there is no asset ${id}` : 'a reference to an asset needs info.id';
    throw new ApiFault(422, 'missing_asset', `${where}: ${what}`, { at: where });
  };
  return pythonJson(await replace(workflow, 'workflow'));
}
