/** What lies over the points: trails, centroids with their numbers, rings, the path between two, the lasso; it is little. */

const TRAIL = 24;

/** Draw centroids and trails; `to` turns data coordinates into device pixels. */
export function drawCentroids(context, { ratio, theme, colours, points, before, share, trails, emphasis, to }) {
  const places = centroidPlaces(points, before, share);
  trails.forEach((trail, cluster) => {
    if (emphasis === null || emphasis === cluster) drawTrail(context, trail, places[cluster], colours[cluster], ratio, to);
  });
  places.forEach((place, cluster) => {
    const dim = emphasis !== null && emphasis !== cluster;
    drawCentroid(context, to(place), cluster, colours[cluster], { ratio, theme, dim });
  });
}

/**
 * Draw what hands have done: `rings` as `[place, radius]`, the `path` between two places (or null), and the `outline` of a
 * lasso (or null); all places in device pixels.
 */
export function drawMarks(context, { ratio, theme, rings, path, outline }) {
  if (path) {
    const line = () => {
      context.moveTo(...path[0]);
      context.lineTo(...path[1]);
    };
    context.lineCap = "round";
    stroke(context, theme.ground, 6 * ratio, line);
    stroke(context, theme.text, 2.5 * ratio, line);
  }
  for (const [[x, y], radius] of rings) {
    stroke(context, theme.ground, 4.5 * ratio, () => context.arc(x, y, radius, 0, 7));
    stroke(context, theme.text, 2 * ratio, () => context.arc(x, y, radius, 0, 7));
  }
  if (outline) drawOutline(context, outline, { ratio, theme });
}

function drawOutline(context, outline, { ratio, theme }) {
  const line = () => {
    outline.forEach((place, at) => (at ? context.lineTo(...place) : context.moveTo(...place)));
    context.closePath();
  };
  context.globalAlpha = 0.1;
  context.fillStyle = theme.text;
  context.beginPath();
  line();
  context.fill();
  context.globalAlpha = 1;
  stroke(context, theme.ground, 3.5 * ratio, line);
  context.setLineDash([5 * ratio, 4 * ratio]);
  stroke(context, theme.text, 1.5 * ratio, line);
  context.setLineDash([]);
}

function centroidPlaces(points, before, share) {
  return Array.from({ length: points.k }, (_, cluster) => {
    const [x, y] = points.centroids.subarray(2 * cluster, 2 * cluster + 2);
    if (!before || before.length !== points.centroids.length) return [x, y];
    return [before[2 * cluster] + (x - before[2 * cluster]) * share, before[2 * cluster + 1] + (y - before[2 * cluster + 1]) * share];
  });
}

/** Centroids' places at the frames before one in the same phase, oldest first: a list for each cluster. */
export function trailsBefore(store, frame, k, records) {
  const found = [];
  for (let at = frame - 1; at >= 0 && found.length < TRAIL; at -= 1) {
    if (records[at]?.phase !== records[frame]?.phase) break; // a new phase places its centroids anew
    const earlier = store.frames.get(at);
    if (earlier?.k === k) found.unshift(earlier.centroids);
  }
  return Array.from({ length: k }, (_, cluster) => found.map((xy) => [xy[2 * cluster], xy[2 * cluster + 1]]));
}

function drawTrail(context, trail, last, colour, ratio, to) {
  const places = [...trail, last].map(to);
  context.lineCap = "round";
  for (let at = 1; at < places.length; at += 1) {
    const age = at / places.length;
    context.globalAlpha = 0.75 * age * age;
    stroke(context, colour, (0.8 + 1.8 * age) * ratio, () => {
      context.moveTo(...places[at - 1]);
      context.lineTo(...places[at]);
    });
  }
  context.globalAlpha = 1;
}

function drawCentroid(context, [x, y], cluster, colour, { ratio, theme, dim }) {
  const radius = 11 * ratio;
  context.globalAlpha = dim ? 0.25 : 1;
  context.fillStyle = theme.ground;
  context.beginPath();
  context.arc(x, y, radius + 1.5 * ratio, 0, 7);
  context.fill();
  stroke(context, colour, 3 * ratio, () => context.arc(x, y, radius - ratio, 0, 7));
  context.fillStyle = theme.text;
  context.font = `600 ${14 * ratio}px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(cluster), x, y + 0.8 * ratio);
  context.globalAlpha = 1;
}

function stroke(context, colour, width, path) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  path();
  context.stroke();
}
