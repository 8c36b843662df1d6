/** Drawing many points: WebGL, and Canvas 2D where there is none. Both draw the same and have the same methods. */

const VERTEX = `#version 300 es
in vec2 before; in vec2 after; in vec4 colourBefore; in vec4 colourAfter;
uniform float share; uniform vec4 view; uniform float size; uniform float layer;
out vec4 colour;
void main() {
  vec2 place = mix(before, after, share);
  colour = mix(colourBefore, colourAfter, share);
  bool left_out = layer != 0.0 && (layer > 0.0) != (colour.a > 0.65);
  gl_Position = left_out ? vec4(2.0, 2.0, 2.0, 1.0) : vec4((place - view.xy) * view.zw, 0.0, 1.0);
  gl_PointSize = size;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour; uniform float size; uniform float line; out vec4 drawn;
void main() {
  float away = length(gl_PointCoord - 0.5) * size;
  float inside = 1.0 - smoothstep(size * 0.5 - 1.0, size * 0.5, away);
  if (line > 0.0) inside *= smoothstep(size * 0.5 - line - 1.0, size * 0.5 - line, away);
  if (inside <= 0.0) discard;
  drawn = vec4(colour.rgb, 1.0) * colour.a * inside;
}`;

/** A renderer for a canvas: WebGL if the browser has it. */
export function createRenderer(canvas) {
  const context = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: true });
  return context ? new WebGLPoints(canvas, context) : new CanvasPoints(canvas);
}

/** Points in WebGL: places and colours before and after are buffers, the way between them is the shader's. */
class WebGLPoints {
  constructor(canvas, gl) {
    Object.assign(this, { canvas, gl, count: 0, kind: "webgl" });
    this.content = null;
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      if (this.content) this.set(this.content);
    });
    this.prepare();
  }

  prepare() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.places = Object.fromEntries(["share", "view", "size", "line", "layer"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.buffers = {};
    for (const [name, width, type, normalised] of [
      ["before", 2, gl.FLOAT, false], ["after", 2, gl.FLOAT, false],
      ["colourBefore", 4, gl.UNSIGNED_BYTE, true], ["colourAfter", 4, gl.UNSIGNED_BYTE, true],
    ]) {
      const place = gl.getAttribLocation(program, name);
      this.buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, width, type, normalised, 0, 0);
    }
  }

  /** Upload `{before, after, colourBefore, colourAfter}`: float32 pairs and RGBA bytes. */
  set(content) {
    const { gl } = this;
    this.content = content;
    this.count = content.after.length / 2;
    for (const [name, buffer] of Object.entries(this.buffers)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, content[name], gl.DYNAMIC_DRAW);
    }
  }

  /** Upload other colours of the same points, for the whole way. */
  recolour(colours) {
    const { gl } = this;
    Object.assign(this.content, { colourBefore: colours, colourAfter: colours });
    for (const name of ["colourBefore", "colourAfter"]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, colours, gl.DYNAMIC_DRAW);
    }
  }

  /**
   * Draw at `share` of the way; `view` has the centre and pixels a unit, `size` is a diameter in device pixels, and
   * points are open rings with a line of some width, or discs where that is 0. What is `layered` has points that are put
   * back, by their opacity: they lie under all others.
   */
  draw(view, share, { size, line = 0, layered = false }) {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.count) return;
    gl.uniform1f(this.places.share, share);
    gl.uniform1f(this.places.size, size);
    gl.uniform1f(this.places.line, line);
    gl.uniform4f(this.places.view, view.x, view.y, (2 * view.scale) / canvas.width, (2 * view.scale) / canvas.height);
    for (const layer of layered ? [-1, 1] : [0]) {
      gl.uniform1f(this.places.layer, layer);
      gl.drawArrays(gl.POINTS, 0, this.count);
    }
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** The same with Canvas 2D; slower, but everywhere. */
class CanvasPoints {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d"), content: null, kind: "canvas" });
  }

  set(content) {
    this.content = content;
  }

  recolour(colours) {
    Object.assign(this.content, { colourBefore: colours, colourAfter: colours });
  }

  draw(view, share, { size, line = 0, layered = false }) {
    const { canvas, context, content } = this;
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!content) return;
    context.lineWidth = line;
    for (const layer of layered ? [-1, 1] : [0]) this.drawLayer(view, share, { size, line, layer });
  }

  drawLayer(view, share, { size, line, layer }) {
    const { canvas, context } = this, { before, after, colourAfter } = this.content;
    const middle = [canvas.width / 2, canvas.height / 2], radius = (size - line) / 2;
    let painted = "";
    for (let at = 0; at < after.length / 2; at += 1) {
      const opacity = colourAfter[4 * at + 3];
      if (layer && layer > 0 !== opacity > 166) continue;
      const x = middle[0] + (before[2 * at] + (after[2 * at] - before[2 * at]) * share - view.x) * view.scale;
      const y = middle[1] - (before[2 * at + 1] + (after[2 * at + 1] - before[2 * at + 1]) * share - view.y) * view.scale;
      if (!(x > -size && x < canvas.width + size && y > -size && y < canvas.height + size)) continue;
      const colour = `rgba(${colourAfter[4 * at]},${colourAfter[4 * at + 1]},${colourAfter[4 * at + 2]},${opacity / 255})`;
      if (colour !== painted) context.fillStyle = context.strokeStyle = painted = colour;
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      if (line) context.stroke();
      else context.fill();
    }
  }

  destroy() {}
}
