/** OpenCV's filled circles, convex polygons, ellipses as polygons, and lines of two pixels (modules/imgproc/src/drawing.cpp), 8-connected. */
import { roundHalfEven } from '../rounding.js';
import type { BytePicture } from '../bytes.js';

export type Colour = readonly [number, number, number];

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Coordinates in fixed point have 16 bits behind the point. */
const SHIFT = 16;
const ONE = 2 ** SHIFT;
const HALF = ONE / 2;
const whole = (fixed: number) => Math.floor(fixed / ONE);

/** A picture of three channels that is drawn on. */
export class DrawnPicture {
  readonly data: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8Array(width * height * 3);
  }

  get picture(): BytePicture {
    return { width: this.width, height: this.height, channels: 3, data: this.data };
  }

  private put(x: number, y: number, colour: Colour): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    this.data.set(colour, (y * this.width + x) * 3);
  }

  private row(y: number, from: number, to: number, colour: Colour): void {
    if (y < 0 || y >= this.height) return;
    for (let x = Math.max(from, 0); x <= Math.min(to, this.width - 1); x++) {
      this.data.set(colour, (y * this.width + x) * 3);
    }
  }

  /** `circle` with thickness −1 (Circle). */
  disc({ x, y }: Point, radius: number, colour: Colour): void {
    let [error, dx, dy, plus, minus] = [0, radius, 0, 1, 2 * radius - 1];
    while (dx >= dy) {
      for (const row of [y - dy, y + dy]) this.row(row, x - dx, x + dx, colour);
      for (const row of [y - dx, y + dx]) this.row(row, x - dy, x + dy, colour);
      dy++;
      error += plus;
      plus += 2;
      if (error <= 0) continue;
      error -= minus;
      dx--;
      minus -= 2;
    }
  }

  /** `fillConvexPoly` of whole pixels. */
  polygon(points: readonly Point[], colour: Colour): void {
    points.forEach((point, at) => {
      this.line(points.at(at - 1)!, point, colour);
    });
    this.fill(points, 0, colour);
  }

  /** `line` with thickness 2 (ThickLine). */
  thickLine(from: Point, to: Point, colour: Colour): void {
    const thickness = 2 * HALF;
    const [dx, dy] = [from.x - to.x, to.y - from.y];
    const length = dx * dx + dy * dy;
    if (length > 0) {
      const ratio = thickness / Math.sqrt(length);
      const [x, y] = [roundHalfEven(dy * ratio), roundHalfEven(dx * ratio)];
      const corner = (point: Point, sign: number): Point => ({
        x: point.x * ONE + sign * x,
        y: point.y * ONE + sign * y,
      });
      const corners = [corner(from, 1), corner(from, -1), corner(to, -1), corner(to, 1)];
      corners.forEach((point, at) => {
        this.fixedLine(corners.at(at - 1)!, point, colour);
      });
      this.fill(corners, SHIFT, colour);
    }
    for (const end of [from, to]) this.disc(end, whole(thickness + HALF), colour);
  }

  /** One pixel wide, from left to right (LineIterator). */
  private line(from: Point, to: Point, colour: Colour): void {
    const clipped = clip(from, to, this.width, this.height);
    if (clipped === undefined) return;
    const [start, end] = clipped[0].x > clipped[1].x ? [clipped[1], clipped[0]] : clipped;
    const down = end.y < start.y ? -1 : 1;
    const [across, along] = [end.x - start.x, Math.abs(end.y - start.y)];
    const isSteep = along > across;
    const [major, minor] = isSteep ? [along, across] : [across, along];
    let { x, y } = start;
    let error = major - 2 * minor;
    for (let step = 0; step <= major; step++) {
      this.put(x, y, colour);
      const turns = error < 0;
      error += turns ? 2 * major - 2 * minor : -2 * minor;
      if (isSteep) {
        y += down;
        if (turns) x++;
      } else {
        x++;
        if (turns) y += down;
      }
    }
  }

  /** Between places in fixed point (Line2). */
  private fixedLine(from: Point, to: Point, colour: Colour): void {
    const clipped = clip(from, to, this.width * ONE, this.height * ONE);
    if (clipped === undefined) return;
    const [dx, dy] = [clipped[1].x - clipped[0].x, clipped[1].y - clipped[0].y];
    const [wide, high] = [Math.abs(dx), Math.abs(dy)];
    const isFlat = wide > high;
    const turned = isFlat ? dx < 0 : dy < 0;
    const [start, end] = turned ? [clipped[1], clipped[0]] : clipped;
    const sign = turned ? -1 : 1;
    const odd = (value: number) => (value % 2 === 0 ? value + 1 : value);
    this.put(whole(end.x + HALF), whole(end.y + HALF), colour);
    let [x, y] = [start.x + HALF, start.y + HALF];
    if (isFlat) {
      const step = Math.trunc((sign * dy * ONE) / odd(wide));
      for (let count = whole(end.x - start.x), column = whole(x); count >= 0; count--, column++) {
        this.put(column, whole(y), colour);
        y += step;
      }
      return;
    }
    const step = Math.trunc((sign * dx * ONE) / odd(high));
    for (let count = whole(end.y - start.y), row = whole(y); count >= 0; count--, row++) {
      this.put(whole(x), row, colour);
      x += step;
    }
  }

  /** What lies between the sides (FillConvexPoly); `shift` bits of the points are behind the point. */
  private fill(points: readonly Point[], shift: number, colour: Colour): void {
    const unit = 2 ** shift;
    const delta = Math.floor(unit / 2);
    const rounded = (value: number) => Math.floor((value + delta) / unit);
    const [xs, ys] = [points.map(({ x }) => rounded(x)), points.map(({ y }) => rounded(y))];
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
    if (points.length < 3 || right < 0 || bottom < 0 || left >= this.width || top >= this.height) return;
    const lowest = Math.min(...points.map(({ y }) => y));
    const first = points.findIndex(({ y }) => y === lowest);
    const sides = [1, points.length - 1].map((by) => ({ at: first, by, x: -ONE, dx: 0, end: top }));
    let edges = points.length;
    const last = Math.min(bottom, this.height - 1);
    for (let y = top; y <= last; y++) {
      for (const side of sides) {
        if (y < side.end) continue;
        let from = side.at;
        let to = (from + side.by) % points.length;
        while (edges-- > 0) {
          const row = ys[to]!;
          if (row > y) {
            const scale = ONE / unit;
            const [start, end] = [points[from]!.x * scale, points[to]!.x * scale];
            side.end = row;
            side.dx = Math.trunc(((end - start) * 2 + (row - y)) / (2 * (row - y)));
            side.x = start;
            side.at = to;
            break;
          }
          from = to;
          to = (to + side.by) % points.length;
        }
      }
      const [one, other] = sides as [(typeof sides)[0], (typeof sides)[0]];
      const [near, far] = one.x > other.x ? [other, one] : [one, other];
      this.row(y, whole(near.x + HALF), whole(far.x + HALF), colour);
      for (const side of sides) side.x += side.dx;
    }
  }
}

/** The part of a line inside of a picture (clipLine); undefined where there is none. */
function clip(from: Point, to: Point, width: number, height: number): readonly [Point, Point] | undefined {
  const [right, bottom] = [width - 1, height - 1];
  let [x1, y1, x2, y2] = [from.x, from.y, to.x, to.y];
  const across = (x: number) => (x < 0 ? 1 : 0) + (x > right ? 2 : 0);
  const down = (y: number) => (y < 0 ? 4 : 0) + (y > bottom ? 8 : 0);
  let [first, second] = [across(x1) + down(y1), across(x2) + down(y2)];
  if ((first & second) === 0 && (first | second) !== 0) {
    if ((first & 12) !== 0) {
      const edge = first < 8 ? 0 : bottom;
      x1 += Math.trunc(((edge - y1) * (x2 - x1)) / (y2 - y1));
      y1 = edge;
      first = across(x1);
    }
    if ((second & 12) !== 0) {
      const edge = second < 8 ? 0 : bottom;
      x2 += Math.trunc(((edge - y2) * (x2 - x1)) / (y2 - y1));
      y2 = edge;
      second = across(x2);
    }
    if ((first & second) === 0 && (first | second) !== 0) {
      if (first !== 0) {
        const edge = first === 1 ? 0 : right;
        y1 += Math.trunc(((edge - x1) * (y2 - y1)) / (x2 - x1));
        [x1, first] = [edge, 0];
      }
      if (second !== 0) {
        const edge = second === 1 ? 0 : right;
        y2 += Math.trunc(((edge - x2) * (y2 - y1)) / (x2 - x1));
        [x2, second] = [edge, 0];
      }
    }
  }
  if ((first | second) !== 0) return undefined;
  return [
    { x: x1, y: y1 },
    { x: x2, y: y2 },
  ];
}

/** OpenCV's table of sines has seven decimals. */
const sine = (degrees: number) => Math.fround(Math.round(Math.sin((degrees * Math.PI) / 180) * 1e7) / 1e7);

/** `ellipse2Poly` by whole degrees: the outline of an ellipse, without points that follow themselves. */
export function ellipseOutline(
  centre: Point,
  axes: { readonly width: number; readonly height: number },
  angle: number,
): readonly Point[] {
  const turn = ((angle % 360) + 360) % 360;
  const [cosine, sin] = [sine(turn + 90), sine(turn)];
  const points: Point[] = [];
  for (let degrees = 0; degrees <= 360; degrees++) {
    const [x, y] = [axes.width * sine(degrees + 90), axes.height * sine(degrees)];
    const point = {
      x: roundHalfEven(centre.x + x * cosine - y * sin),
      y: roundHalfEven(centre.y + x * sin + y * cosine),
    };
    const before = points.at(-1);
    if (before === undefined || before.x !== point.x || before.y !== point.y) points.push(point);
  }
  return points.length === 1 ? [centre, centre] : points;
}
