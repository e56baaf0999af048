/** Values that are no plain data, as a text: pictures and latents by their form, models by their names. */
import { pythonJson, pythonStr, toPython } from '../python/value.js';

/** What stands for a value that is no plain data. */
export function describeValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { shape, identity } = value as { readonly shape?: unknown; readonly identity?: unknown };
  if (Array.isArray(shape)) return `tensor [${shape.join(', ')}]`;
  if (typeof identity === 'string') return identity;
  if (Array.isArray(value)) return `[${value.map(describeValue).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([name, item]) => `${name}: ${describeValue(item)}`)
    .join(', ')}}`;
}

/**
 * Any value as text: Python's `str` of single ones, its `json.dumps` of lists and dictionaries, a description of what is no plain
 * data. `type` is ComfyUI's name of what brought it.
 */
export function valueText(value: unknown, type: string | undefined, indent: number): string {
  const data = toPython(value, type);
  if (data === undefined) return describeValue(value);
  return typeof data === 'object' && data !== null ? pythonJson(data, { indent }) : pythonStr(data);
}
