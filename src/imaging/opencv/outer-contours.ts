/** The shapes of a mask that lie in no other, filled: OpenCV's findContours (RETR_TREE) and drawContours, outermost ones alone. */

export interface OuterShape {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Whether a pixel of the rectangle is the shape's, row by row; holes are filled. */
  readonly filled: Uint8Array;
}

/** Shapes of what isn't 0, in OpenCV's order: from the last that begins to the first. Pixels that touch at a corner belong together. */
export function outerShapes(grey: Uint8Array, width: number, height: number): OuterShape[] {
  const isOutside = outsideOf(grey, width, height);
  const shapes: OuterShape[] = [];
  const isDone = new Uint8Array(width * height);
  for (let start = 0; start < width * height; start++) {
    if (isOutside[start] === 1 || isDone[start] === 1) continue;
    shapes.push(shapeAt(start, isOutside, isDone, width, height));
  }
  return shapes.reverse();
}

/** Black that is reached from beyond the edges, up, down, left and right. */
function outsideOf(grey: Uint8Array, width: number, height: number): Uint8Array {
  const isOutside = new Uint8Array(width * height);
  const open: number[] = [];
  const reach = (at: number) => {
    if (grey[at] !== 0 || isOutside[at] === 1) return;
    isOutside[at] = 1;
    open.push(at);
  };
  for (let x = 0; x < width; x++) {
    reach(x);
    reach((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    reach(y * width);
    reach(y * width + width - 1);
  }
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const x = at % width;
    if (x > 0) reach(at - 1);
    if (x < width - 1) reach(at + 1);
    if (at >= width) reach(at - width);
    if (at < width * (height - 1)) reach(at + width);
  }
  return isOutside;
}

function shapeAt(
  start: number,
  isOutside: Uint8Array,
  isDone: Uint8Array,
  width: number,
  height: number,
): OuterShape {
  const pixels = [start];
  isDone[start] = 1;
  let [left, right, top, bottom] = [width, 0, height, 0];
  for (let index = 0; index < pixels.length; index++) {
    const at = pixels[index]!;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
      for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
        const next = row * width + column;
        if (isOutside[next] === 1 || isDone[next] === 1) continue;
        isDone[next] = 1;
        pixels.push(next);
      }
    }
  }
  const [inWidth, inHeight] = [right - left + 1, bottom - top + 1];
  const filled = new Uint8Array(inWidth * inHeight);
  for (const at of pixels) filled[(Math.floor(at / width) - top) * inWidth + (at % width) - left] = 1;
  return { x: left, y: top, width: inWidth, height: inHeight, filled };
}
