/** A sample of the probe: its picture, and the name of its class. */

/** Draw sample `position` into a canvas; hides the canvas where the data has no pictures, and tells whether it has. */
export function drawPicture(canvas, { sample, thumbnails }, position) {
  const shape = thumbnails && sample?.thumbnails;
  canvas.hidden = !shape;
  if (!shape) return false;
  const [, height, width, channels = 1] = shape;
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const start = position * height * width * channels;
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    for (let part = 0; part < 3; part += 1) {
      image.data[4 * pixel + part] = thumbnails[start + pixel * channels + (channels === 3 ? part : 0)];
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return true;
}

/** Name of a class, or its number where it has none. */
export function className(sample, number) {
  return sample.class_names[number] ?? String(number);
}
