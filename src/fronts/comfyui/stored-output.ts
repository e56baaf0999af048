/** Outputs that are no longer in the output folder, but where they are stored beside. */
import { StoreError, type Artifact } from '../../store/artifact.js';
import type { HttpHouse } from '../http/room.js';

/** Jobs that are looked at, the newest. */
const MAX_JOBS = 200;

/** The signed address of a file that a job saved; undefined where none is known, or it isn't stored where it can be had. */
export async function storedUrl(
  { jobs, store, settings }: HttpHouse,
  subfolder: string,
  filename: string,
): Promise<string | undefined> {
  if (store === undefined) return undefined;
  const recent = await jobs.list({ which: 'over', first: 'newest', limit: MAX_JOBS });
  const items = recent.flatMap(({ outcome }) =>
    (outcome?.outputs ?? []).flatMap(({ ui }) => Object.values(ui).flatMap((list = []) => list)),
  );
  for (const item of items) {
    if (typeof item !== 'object' || item === null) continue;
    const file = item as Readonly<Record<string, unknown>> & { readonly artifact?: Artifact };
    if (file['filename'] !== filename || file['subfolder'] !== subfolder || file.artifact === undefined)
      continue;
    try {
      return await store.url(file.artifact, settings.urlLifetime);
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }
  return undefined;
}
