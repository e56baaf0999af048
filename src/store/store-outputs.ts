/** The files among what nodes saved, stored. */
import type { Artifact, ArtifactStore } from './artifact.js';

/** What nodes leave, by kind: lists of files among other things. */
type Shown = Readonly<Record<string, readonly unknown[] | undefined>>;

interface OutputFile {
  readonly type: 'output';
  readonly path: string;
  readonly artifact?: Artifact;
}

/** The same, with an `artifact` at each file of the output folder. Rejects as `put` does. */
export async function storeOutputs<Ui extends Shown>(
  ui: Ui,
  store: ArtifactStore,
  signal: AbortSignal,
  notice: (text: string) => void,
): Promise<Ui> {
  const kinds: [string, unknown][] = [];
  for (const [kind, items] of Object.entries(ui)) {
    const stored: unknown[] = [];
    for (const item of items ?? []) {
      stored.push(isOutput(item) ? { ...item, artifact: await store.put(item.path, signal, notice) } : item);
    }
    kinds.push([kind, items === undefined ? undefined : stored]);
  }
  return Object.fromEntries(kinds) as Ui;
}

function isOutput(item: unknown): item is OutputFile {
  if (typeof item !== 'object' || item === null) return false;
  const { type, path } = item as Partial<OutputFile>;
  return type === 'output' && typeof path === 'string';
}
