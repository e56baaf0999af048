/** What jobs saved and showed, item by item, as Comfy API v2 lists it: every item is an asset. */
import { statSync } from 'node:fs';
import type { NodeOutput } from '../../../engine-process/messages.js';
import type { Artifact } from '../../../store/artifact.js';
import { safeContentType } from '../content-types.js';
import { isObject } from '../request-body.js';
import { shownUi } from '../stored-prompt.js';

export type OutputType = 'image' | 'video' | 'audio' | 'text' | 'file' | 'latent';

export interface SavedItem {
  /** Where it is among its job's: the same as long as the job is known. */
  readonly place: string;
  readonly node: string;
  readonly name: string;
  readonly type: OutputType;
  readonly contentType: string;
  readonly size: number;
  /** What it is: a file on this machine, or a text. */
  readonly path?: string;
  readonly text?: string;
  readonly artifact?: Artifact;
}

export function savedItems(outputs: readonly NodeOutput[]): readonly SavedItem[] {
  return outputs.flatMap(({ workflow = 0, node = 'sheet', ui }) =>
    // Pictures that are handed over a socket are no outputs.
    Object.keys(shownUi(ui)).flatMap((kind) =>
      (ui[kind] ?? []).flatMap((item, index) => {
        const place = `${workflow}/${node}/${kind}/${index}`;
        if (typeof item === 'string') return [textItem(place, node, `${node}_${kind}_${index}.txt`, item)];
        return isObject(item) ? fileItem(place, node, kind, item) : [];
      }),
    ),
  );
}

function textItem(place: string, node: string, name: string, text: string): SavedItem {
  const size = Buffer.byteLength(text);
  return { place, node, name, type: 'text', contentType: 'text/plain; charset=utf-8', size, text };
}

function fileItem(
  place: string,
  node: string,
  kind: string,
  item: Readonly<Record<string, unknown>>,
): readonly SavedItem[] {
  const { filename: name, path } = item;
  if (typeof name !== 'string' || typeof path !== 'string') return [];
  const artifact = item['artifact'] as Artifact | undefined;
  const contentType = safeContentType(name);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? artifact?.size_bytes ?? 0;
  const type = kind === 'latents' ? 'latent' : typeOf(contentType);
  return [{ place, node, name, type, contentType, size, path, ...(artifact !== undefined && { artifact }) }];
}

function typeOf(contentType: string): OutputType {
  const [kind] = contentType.split('/');
  return kind === 'image' || kind === 'video' || kind === 'audio' || kind === 'text' ? kind : 'file';
}
