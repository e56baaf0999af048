/** Kinds of distance, and those from which on they are logarithmic (ComfyUI T5Attention._relative_position_bucket). */
const kindsOneWay = 16;
const exactKinds = kindsOneWay / 2;
const longestDistance = 128;

/** The kind of distance of each query and key, T×T: each way its own, the longer the coarser. */
export function distanceKinds(tokens: number): Int32Array {
  const kinds = new Int32Array(tokens * tokens);
  const ways = Array.from({ length: tokens }, (_, distance) => kindOf(distance));
  for (let query = 0; query < tokens; query++) {
    for (let key = 0; key < tokens; key++) {
      kinds[query * tokens + key] = ways[Math.abs(key - query)]! + (key > query ? kindsOneWay : 0);
    }
  }
  return kinds;
}

function kindOf(distance: number): number {
  if (distance < exactKinds) return distance;
  // torch's float32 steps, which decide on which side of a border a distance falls.
  const steps = Math.fround(Math.log(Math.fround(distance / exactKinds)));
  const share = Math.fround(steps / Math.fround(Math.log(longestDistance / exactKinds)));
  const scaled = Math.fround(share * (kindsOneWay - exactKinds));
  return Math.min(exactKinds + Math.trunc(scaled), kindsOneWay - 1);
}
