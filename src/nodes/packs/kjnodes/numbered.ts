/** Nodes whose inputs are numbered by an editor's button. */
import { int, type Image } from '../../public.js';

export const inputCount = int({
  default: 2,
  min: 2,
  max: 1000,
  step: 1,
  tooltip: 'How many inputs there are.',
});

/** The images of a node whose inputs are `image_1` to `image_COUNT`; black ones for those that aren't there. */
export function numbered(
  given: Readonly<Record<string, unknown>>,
  count: number,
  missing: Image,
): readonly Image[] {
  return Array.from(
    { length: count },
    (_, index) => (given[`image_${index + 1}`] as Image | undefined) ?? missing,
  );
}
