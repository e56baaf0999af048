/** Bodies, hands and faces as ControlNets for poses are shown them (comfyui_controlnet_aux src/custom_controlnet_aux/dwpose/util.py). */
import type { BytePicture } from '../../imaging/bytes.js';
import { DrawnPicture, ellipseOutline, type Colour } from '../../imaging/opencv/drawing.js';
import { roundHalfEven } from '../../imaging/rounding.js';

/** A place in the picture, in pixels. */
export interface PosePoint {
  readonly x: number;
  readonly y: number;
}

/** What isn't seen is undefined. */
export type PosePoints = readonly (PosePoint | undefined)[];

export interface Pose {
  /** OpenPose's 18. */
  readonly body: PosePoints;
  /** 21 each, where any is seen. */
  readonly leftHand?: PosePoints | undefined;
  readonly rightHand?: PosePoints | undefined;
  /** 70. */
  readonly face?: PosePoints | undefined;
}

export interface PoseParts {
  readonly body: boolean;
  readonly hands: boolean;
  readonly face: boolean;
  /** Limbs are broader in large pictures. */
  readonly scalesSticks: boolean;
}

const LIMBS: readonly (readonly [number, number])[] = [
  ...([
    [2, 3],
    [2, 6],
    [3, 4],
    [4, 5],
    [6, 7],
    [7, 8],
    [2, 9],
    [9, 10],
    [10, 11],
  ] as const),
  ...([
    [2, 12],
    [12, 13],
    [13, 14],
    [2, 1],
    [1, 15],
    [15, 17],
    [1, 16],
    [16, 18],
  ] as const),
];

const COLOURS: readonly Colour[] = [
  ...([
    [255, 0, 0],
    [255, 85, 0],
    [255, 170, 0],
    [255, 255, 0],
    [170, 255, 0],
    [85, 255, 0],
  ] as const),
  ...([
    [0, 255, 0],
    [0, 255, 85],
    [0, 255, 170],
    [0, 255, 255],
    [0, 170, 255],
    [0, 85, 255],
  ] as const),
  ...([
    [0, 0, 255],
    [85, 0, 255],
    [170, 0, 255],
    [255, 0, 255],
    [255, 0, 170],
    [255, 0, 85],
  ] as const),
];

/** From the wrist along each finger. */
const BONES = [0, 1, 2, 3, 4].flatMap((finger) =>
  [0, 1, 2, 3].map((joint) => [joint === 0 ? 0 : finger * 4 + joint, finger * 4 + joint + 1] as const),
);

const BLUE: Colour = [0, 0, 255];
const WHITE: Colour = [255, 255, 255];

/** Black, with the poses. */
export function drawPoses(
  poses: readonly Pose[],
  height: number,
  width: number,
  parts: PoseParts,
): BytePicture {
  const canvas = new DrawnPicture(width, height);
  for (const { body, leftHand, rightHand, face } of poses) {
    if (parts.body) drawBody(canvas, body, parts.scalesSticks);
    if (parts.hands) for (const hand of [leftHand, rightHand]) drawHand(canvas, hand);
    if (parts.face) drawFace(canvas, face);
  }
  return canvas.picture;
}

/** Points that all lie between 0 and 1 are shares of the picture. */
function scaled(points: PosePoints, { width, height }: DrawnPicture): (PosePoint | undefined)[] {
  const seen = points.filter((point) => point !== undefined);
  const areShares = seen.length > 0 && seen.every(({ x, y }) => Math.abs(x) <= 1 && Math.abs(y) <= 1);
  const [across, down] = areShares ? [width, height] : [1, 1];
  return points.map((point) => point && { x: point.x * across, y: point.y * down });
}

const truncated = ({ x, y }: PosePoint): PosePoint => ({ x: Math.trunc(x), y: Math.trunc(y) });

function drawBody(canvas: DrawnPicture, body: PosePoints, scalesSticks: boolean): void {
  const points = scaled(body, canvas);
  const longest = Math.max(canvas.width, canvas.height);
  const breadth = scalesSticks && longest >= 500 ? 4 * Math.min(2 + Math.floor(longest / 1000), 7) : 4;
  LIMBS.forEach(([one, other], at) => {
    const [from, to] = [points[one - 1], points[other - 1]];
    if (from === undefined || to === undefined) return;
    const middle = truncated({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 });
    const length = Math.hypot(from.y - to.y, from.x - to.x);
    const angle = Math.trunc((Math.atan2(from.y - to.y, from.x - to.x) * 180) / Math.PI);
    const outline = ellipseOutline(middle, { width: Math.trunc(length / 2), height: breadth }, angle);
    canvas.polygon(outline, COLOURS[at]!.map((value) => Math.trunc(value * 0.6)) as unknown as Colour);
  });
  points.forEach((point, at) => {
    if (point !== undefined) canvas.disc(truncated(point), 4, COLOURS[at]!);
  });
}

function drawHand(canvas: DrawnPicture, hand: PosePoints | undefined): void {
  if (hand === undefined) return;
  const points = scaled(hand, canvas).map((point) => point && truncated(point));
  const isInside = ({ x, y }: PosePoint) => x > 0 && y > 0;
  BONES.forEach(([one, other], at) => {
    const [from, to] = [points[one], points[other]];
    if (from === undefined || to === undefined || !isInside(from) || !isInside(to)) return;
    canvas.thickLine(from, to, rainbow(at / BONES.length));
  });
  for (const point of points) if (point !== undefined && isInside(point)) canvas.disc(point, 4, BLUE);
}

function drawFace(canvas: DrawnPicture, face: PosePoints | undefined): void {
  if (face === undefined) return;
  for (const point of scaled(face, canvas)) {
    if (point === undefined) continue;
    const at = truncated(point);
    if (at.x > 0 && at.y > 0) canvas.disc(at, 3, WHITE);
  }
}

/** The full colour of a hue from 0 to 1. */
function rainbow(hue: number): Colour {
  const part = Math.trunc(hue * 6);
  const fraction = hue * 6 - part;
  const [rising, falling] = [fraction, 1 - fraction];
  const colours = [
    [1, rising, 0],
    [falling, 1, 0],
    [0, 1, rising],
    [0, falling, 1],
    [rising, 0, 1],
    [1, 0, falling],
  ];
  return colours[part % 6]!.map((value) => roundHalfEven(value * 255)) as unknown as Colour;
}
