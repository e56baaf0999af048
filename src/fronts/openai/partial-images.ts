/** Pictures of how it comes about, spread over the steps. */
import type { JobNotice } from '../../jobs/events.js';

/**
 * Hears a job's notices and tells of `count` previews at most, as evenly spread over its steps as they come. `tell` is given the path of a file
 * that is there for the moment.
 */
export function choosePreviews(count: number, tell: (path: string, index: number) => void) {
  let told = 0;
  let done = 0;
  return (notice: JobNotice): void => {
    if (notice.kind !== 'event') return;
    const { event } = notice;
    if (event.type === 'progress' && event.work === 'sampling') done = event.step / event.total_steps;
    if (event.type !== 'preview' || told >= count) return;
    // The first of k comes after 1/(k+1) of the steps, or as soon as there is one after it.
    if (done < told / (count + 1)) return;
    tell(event.path, told++);
  };
}
