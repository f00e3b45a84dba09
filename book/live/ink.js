// From strokes to an image of 32x32, as the images of MNIST were made: the drawing's longer side becomes 20 pixels, and
// its centre of mass the middle. The pixels are computed from the strokes; nothing is read back from a canvas.
(() => {
  "use strict";

  const SIDE = 32, LONGEST = 20, RADIUS = 1.1, GRID = 100; // strokes lie on a grid of 100 by 100

  const distance = (px, py, [ax, ay], [bx, by]) => {
    const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
    const along = length ? Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length)) : 0;
    return Math.hypot(px - ax - along * dx, py - ay - along * dy);
  };

  // Ink of a round pen at the middle of each pixel: full up to its radius less a half, none beyond its radius and a half.
  const inked = (strokes) => {
    const pixels = new Array(SIDE * SIDE).fill(0);
    for (const stroke of strokes) {
      stroke.forEach((point, at) => {
        const from = stroke[Math.max(0, at - 1)];
        for (let pixel = 0; pixel < pixels.length; pixel += 1) {
          const away = distance(pixel % SIDE, Math.floor(pixel / SIDE), from, point);
          pixels[pixel] = Math.max(pixels[pixel], Math.min(1, Math.max(0, RADIUS + 0.5 - away)));
        }
      });
    }
    return pixels;
  };

  const placed = (strokes, scale, [x, y]) => strokes.map((stroke) => stroke.map(([px, py]) => [px * scale + x, py * scale + y]));

  const image = (strokes) => {
    const points = strokes.flat();
    if (!points.length) return new Array(SIDE * SIDE).fill(0);
    const range = (axis) => points.map((point) => point[axis]).reduce(([least, most], value) =>
      [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
    const [[left, right], [top, bottom]] = [range(0), range(1)];
    const longest = Math.max(right - left, bottom - top);
    const scale = longest ? (LONGEST - 2 * RADIUS) / longest : 0;
    const middle = (SIDE - 1) / 2;
    const start = [middle - scale * (left + right) / 2, middle - scale * (top + bottom) / 2];
    const first = inked(placed(strokes, scale, start));
    const mass = first.reduce((sum, ink) => sum + ink, 0);
    const centre = [(pixel) => pixel % SIDE, (pixel) => Math.floor(pixel / SIDE)]
      .map((along) => first.reduce((sum, ink, pixel) => sum + ink * along(pixel), 0) / mass);
    const moved = start.map((value, axis) => value + middle - centre[axis]);
    return inked(placed(strokes, scale, moved)).map((ink) => Math.round(255 * ink));
  };

  // The image moved by whole pixels; what comes in is black.
  const shifted = (pixels, right, down) => pixels.map((_, pixel) => {
    const x = pixel % SIDE - right, y = Math.floor(pixel / SIDE) - down;
    return x >= 0 && x < SIDE && y >= 0 && y < SIDE ? pixels[y * SIDE + x] : 0;
  });

  // Strokes as text for the address: four digits a point, strokes joined by a dash.
  const two = (value) => String(Math.min(GRID - 1, Math.max(0, Math.round(value)))).padStart(2, "0");
  const write = (strokes) => strokes.map((stroke) => stroke.map(([x, y]) => two(x) + two(y)).join("")).join("-");
  const read = (text) => text.split("-").filter((part) => /^(\d{4})+$/.test(part))
    .map((part) => part.match(/\d{4}/g).map((point) => [Number(point.slice(0, 2)), Number(point.slice(2))]));

  const EXAMPLES = {
    0: "5010581265197130744374577170658158885090428835812970265726432930351942125010",
    1: "382454105490",
    2: "28273120361542124911571263166821702771346941566228887688",
    3: "30203514431151105913651869256933654059455248544962526857716472716979648557884990408933852780",
    4: "601022648264-62346292",
    5: "741236123246324741425241624569527362727267815887488937872980",
    6: "6610462832543064345640504847574864527059726770766683588850894187348131733064",
    7: "2413761358484490",
    8: "5049424735423134312635184213501158136518692669346542584750495049595167567264737270806487559145913687308027722864335641515049",
    9: "7132692364165612481140143320292829363344395048535652644869417132713468606090",
    A: "189050108290-31606960",
    E: "7412281228887688-28496649",
    X: "22147888-78142288",
  };

  course.ink = { image, inked, shifted, write, read, EXAMPLES, SIDE, GRID };
})();
