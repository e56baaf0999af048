/** Values from one to another, in float32 (ComfyUI comfy/hooks.py, InterpolationMethod). */
export const interpolations = ['linear', 'ease_in', 'ease_out', 'ease_in_out'] as const;

export type Interpolation = (typeof interpolations)[number];

const eased: Readonly<Record<Interpolation, (share: number) => number>> = {
  linear: (share) => share,
  ease_in: (share) => Math.fround(share * share),
  ease_out: (share) => Math.fround(1 - Math.fround((1 - share) ** 2)),
  ease_in_out: (share) => Math.fround((1 - Math.fround(Math.cos(Math.fround(share * Math.PI)))) / 2),
};

/** `count` values, both ends among them. */
export function interpolated(from: number, to: number, count: number, how: Interpolation): Float32Array {
  if (how === 'linear') return evenlySpaced(from, to, count);
  return evenlySpaced(0, 1, count).map((share) => Math.fround((to - from) * eased[how](share)) + from);
}

/** torch.linspace, which counts from the nearer end. */
function evenlySpaced(from: number, to: number, count: number): Float32Array {
  const step = count > 1 ? Math.fround(Math.fround(to - from) / (count - 1)) : 0;
  return Float32Array.from({ length: count }, (_, index) =>
    index < count / 2 ? from + step * index : to - step * (count - 1 - index),
  );
}
