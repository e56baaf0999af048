/** Paths of a camera, as rays through the pixels of each frame (ComfyUI comfy_extras/nodes_camera_trajectory.py). */
import { tensor } from '../../compute/tensor.js';
import { combo, defineNode, float, int } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

interface Motion {
  /** Turns about x, y and z, and the way along them, of a whole film at speed 1, as shares of what is below. */
  readonly angle: readonly [number, number, number];
  readonly way: readonly [number, number, number];
}

const TURN = Math.PI / 3;
const WAY = 1.5;
const STILL = [0, 0, 0] as const;

const motions: Readonly<Record<string, Motion>> = {
  Static: { angle: STILL, way: STILL },
  'Pan Up': { angle: STILL, way: [0, -1, 0] },
  'Pan Down': { angle: STILL, way: [0, 1, 0] },
  'Pan Left': { angle: STILL, way: [-1, 0, 0] },
  'Pan Right': { angle: STILL, way: [1, 0, 0] },
  'Zoom In': { angle: STILL, way: [0, 0, 2] },
  'Zoom Out': { angle: STILL, way: [0, 0, -2] },
  'Anti Clockwise (ACW)': { angle: [0, 0, -1], way: STILL },
  'ClockWise (CW)': { angle: [0, 0, 1], way: STILL },
};

/** Width by height of the pictures that the focal lengths are shares of. */
const POSE_RATIO = 1280 / 720;
/** Of a ray: its moment about the first frame's camera, and its direction. */
const RAY = 6;
/** Frames that a latent's stands for. */
const GROUP = 4;
const { cos, fround, sin, sqrt } = Math;

/** Rows of the turn about z, then y, then x. */
function turned([x, y, z]: readonly [number, number, number]): readonly (readonly [
  number,
  number,
  number,
])[] {
  const [cx, sx, cy, sy, cz, sz] = [cos(x), sin(x), cos(y), sin(y), cos(z), sin(z)];
  return [
    [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    [-sy, cy * sx, cy * cx],
  ];
}

const share = (what: string, step: number) =>
  float({ default: 0.5, min: 0, max: 1, step, tooltip: `${what}, as a share of the picture.` });
const side = (initial: number, what: string) =>
  int({
    default: initial,
    min: 16,
    max: MAX_RESOLUTION,
    step: 16,
    tooltip: `${what} of the film, in pixels.`,
  });

export const wanCameraEmbedding = defineNode({
  name: 'WanCameraEmbedding',
  displayName: 'WanCameraEmbedding',
  category: 'model/conditioning/wan/camera',
  description: 'How a camera moves, for Wan Fun Camera.',
  required: {
    camera_pose: combo(Object.keys(motions), { default: 'Static', tooltip: 'The movement.' }),
    width: side(832, 'Width'),
    height: side(480, 'Height'),
    length: int({ default: 81, min: 1, max: MAX_RESOLUTION, step: 4, tooltip: 'Frames of the film.' }),
  },
  optional: {
    speed: float({ default: 1, min: 0, max: 10, step: 0.1, tooltip: 'How far it moves.' }),
    fx: share('Horizontal focal length', 1e-9),
    fy: share('Vertical focal length', 1e-9),
    cx: share('The optical centre from the left', 0.01),
    cy: share('The optical centre from the top', 0.01),
  },
  outputs: [
    { type: 'WAN_CAMERA_EMBEDDING', name: 'camera_embedding' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'INT', name: 'length' },
  ],
  run({ camera_pose, width, height, length, speed = 1, fx = 0.5, fy = 0.5, cx = 0.5, cy = 0.5 }) {
    if (length % GROUP !== 1) {
      throw new RangeError(
        `length must be a multiple of four frames and one more (81, 85, …), not ${length}`,
      );
    }
    const { angle, way } = motions[camera_pose]!;
    const isTall = POSE_RATIO > width / height;
    const [focalX, focalY] = isTall
      ? [((height * POSE_RATIO * fx) / width) * width, fy * height]
      : [fx * width, (((width / POSE_RATIO) * fy) / height) * height];
    const lens = [focalX, focalY, cx * width, cy * height].map(fround) as [number, number, number, number];
    const groups = (length + GROUP - 1) / GROUP;
    const path = tensor([1, RAY * GROUP, groups, height, width]);
    const area = height * width;
    for (let frame = 0; frame < length; frame++) {
      const done = (frame / length) * speed;
      const rotation = turned(angle.map((each) => done * TURN * each) as [number, number, number]).map(
        (row) => row.map(fround),
      );
      const from = way.map((each) => fround(done * WAY * each)) as [number, number, number];
      const rays = raysOf({ width, height }, lens, rotation, from);
      // The first frame is a group by itself.
      const places = frame === 0 ? [0, 1, 2, 3] : [frame + GROUP - 1];
      for (const place of places) {
        const [group, within] = [Math.floor(place / GROUP), place % GROUP];
        for (let value = 0; value < RAY; value++) {
          const at = ((value * GROUP + within) * groups + group) * area;
          path.data.set(rays.subarray(value * area, (value + 1) * area), at);
        }
      }
    }
    return { outputs: [path, width, height, length] };
  },
});

/** Six planes of H×W: moments and directions of the rays through the pixels' centres, in float32. */
function raysOf(
  { width, height }: { readonly width: number; readonly height: number },
  [focalX, focalY, centreX, centreY]: readonly [number, number, number, number],
  rotation: readonly (readonly number[])[],
  [ox, oy, oz]: readonly [number, number, number],
): Float32Array {
  const area = height * width;
  const rays = new Float32Array(RAY * area);
  for (let row = 0, at = 0; row < height; row++) {
    const y = fround(fround(row + 0.5 - centreY) / focalY);
    for (let column = 0; column < width; column++, at++) {
      const x = fround(fround(column + 0.5 - centreX) / focalX);
      const length = fround(sqrt(fround(fround(fround(x * x) + fround(y * y)) + 1)));
      const seen = [fround(x / length), fround(y / length), fround(1 / length)];
      const [dx, dy, dz] = rotation.map((line) =>
        fround(
          fround(fround(line[0]! * seen[0]!) + fround(line[1]! * seen[1]!)) + fround(line[2]! * seen[2]!),
        ),
      ) as [number, number, number];
      const ray = [
        fround(oy * dz) - fround(oz * dy),
        fround(oz * dx) - fround(ox * dz),
        fround(ox * dy) - fround(oy * dx),
        ...[dx, dy, dz],
      ];
      ray.forEach((value, index) => (rays[index * area + at] = value));
    }
  }
  return rays;
}
