import { distance } from 'fastest-levenshtein';

/** Longer than any name; to compare one of a megabyte with hundreds of others would take minutes. */
const MAX_LENGTH = 500;

/**
 * The names most like `name`, closest first, for error messages. Case and folders count less than the name itself; a name
 * of which less than half agrees is left out, so that the list is empty rather than misleading.
 */
export function nearestNames(name: string, names: Iterable<string>, count = 3): string[] {
  if (name.length > MAX_LENGTH) return [];
  const wanted = plain(name);
  const ranked: { candidate: string; edits: number }[] = [];
  for (const candidate of names) {
    const other = plain(candidate);
    const contained = other.includes(wanted) || wanted.includes(other);
    const edits = distance(wanted, other);
    const longer = Math.max(wanted.length, other.length);
    if (edits * 2 <= longer || (contained && Math.min(wanted.length, other.length) >= 3)) {
      ranked.push({ candidate, edits });
    }
  }
  ranked.sort((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1));
  return ranked.slice(0, count).map((entry) => entry.candidate);
}

/** `; nearest: "a", "b"` for the end of a message, or nothing when no name is near. `part` is what of a name is compared. */
export function nearestHint(
  name: string,
  names: Iterable<string>,
  part: (candidate: string) => string = (candidate) => candidate,
): string {
  if (name.length > MAX_LENGTH) return '';
  const whole = new Map([...names].map((candidate) => [part(candidate), candidate]));
  const nearest = nearestNames(name, whole.keys()).map((near) => whole.get(near)!);
  return nearest.length === 0 ? '' : `; nearest: ${nearest.map((near) => JSON.stringify(near)).join(', ')}`;
}

function plain(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).toLowerCase();
}
