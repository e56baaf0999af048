import type { NodeOutput } from '../../engine-process/messages.js';

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
