/** What clients are told of a job's outputs. */
import type { NodeOutput } from '../../engine-process/messages.js';
import type { OutputFile } from './wire/protocol.js';

/**
 * The one path that a client is given: what was put together of all pictures, else the first picture or film of the first node
 * that saved any; previews count where nothing was saved.
 */
export function imagePathOf(outputs: readonly NodeOutput[]): string | undefined {
  const together = outputs.filter(({ workflow }) => workflow === undefined);
  const shown = [...together, ...outputs].map(({ ui }) => [...(ui.images ?? []), ...(ui.gifs ?? [])]);
  const saved = shown.find((files) => files.some(({ type }) => type === 'output'));
  return (saved ?? shown.find((files) => files.length > 0))?.[0]?.path;
}

/** Files that a message lists, and their bytes: a message has room for some hundreds. */
const MAX_FILES = 500;
const MAX_FILE_BYTES = 24_000;

/** All files of a job by the nodes that made them; of very many, the first. */
export function outputFiles(outputs: readonly NodeOutput[]): readonly OutputFile[] {
  const several = outputs.some(({ workflow }) => workflow !== undefined && workflow > 0);
  const files = outputs.flatMap(({ workflow, node, ui: { images = [], gifs = [], latents = [] } }) =>
    [...images, ...gifs, ...latents].map(({ path, type }): OutputFile => ({
      ...(node !== undefined && { node }),
      ...(several && workflow !== undefined && { image: workflow }),
      file: path,
      type,
    })),
  );
  return withinBytes(files.slice(0, MAX_FILES), ({ file, node = '' }) => `${file}${node}`, MAX_FILE_BYTES);
}

/** The first of some things, as many as have a text of so many bytes together. */
export function withinBytes<Item>(
  items: readonly Item[],
  textOf: (item: Item) => string,
  limit: number,
): readonly Item[] {
  let bytes = 0;
  const end = items.findIndex((item) => (bytes += Buffer.byteLength(textOf(item))) > limit);
  return end < 0 ? items : items.slice(0, end);
}
