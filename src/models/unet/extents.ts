/** An extent after `times` convolutions of stride 2. */
export function halved(extent: number, times: number): number {
  let left = extent;
  for (let i = 0; i < times; i++) left = Math.ceil(left / 2);
  return left;
}
