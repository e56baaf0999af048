import type sharp from 'sharp';

/** sharp takes a tenth of a second to load, so it comes with the first picture rather than at start. */
export async function loadSharp(): Promise<typeof sharp> {
  return (await import('sharp')).default;
}
