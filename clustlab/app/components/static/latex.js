/** The little LaTeX that objectives are written in, as MathML, which browsers draw by themselves. */

const MATHML = "http://www.w3.org/1998/Math/MathML";

const LETTERS = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ϵ", varepsilon: "ε", zeta: "ζ", eta: "η", theta: "θ", kappa: "κ",
  lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "ϕ", varphi: "φ", chi: "χ", psi: "ψ",
  omega: "ω", Gamma: "Γ", Delta: "Δ", Theta: "Θ", Lambda: "Λ", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω", ell: "ℓ", infty: "∞",
};
const OPERATORS = {
  lVert: "‖", rVert: "‖", Vert: "‖", "|": "‖", lvert: "|", rvert: "|", vert: "|", mid: "|", cdot: "·", times: "×", odot: "⊙", sum: "∑",
  prod: "∏", int: "∫", partial: "∂", nabla: "∇", in: "∈", le: "≤", leq: "≤", ge: "≥", geq: "≥", neq: "≠", ne: "≠", approx: "≈",
  sim: "∼", to: "→", rightarrow: "→", leftarrow: "←", mapsto: "↦", langle: "⟨", rangle: "⟩", pm: "±", propto: "∝", ldots: "…",
  cdots: "⋯", dots: "…", "{": "{", "}": "}", top: "⊤", circ: "∘", prime: "′", ast: "∗", star: "⋆", ",": "", ";": "", "!": "", ":": "",
};
const NAMED = ["log", "exp", "max", "min", "arg", "tanh", "ln", "det", "Pr", "cos", "sin", "argmin", "argmax"];
const ACCENTS = { hat: "^", widehat: "^", tilde: "~", widetilde: "~", bar: "¯", overline: "¯", dot: "˙", vec: "→" };
const STYLES = ["mathrm", "text", "operatorname", "mathit", "textrm", "mathsf"];
const SPACES = { ",": "0.17em", ";": "0.28em", ":": "0.22em", "!": "-0.1em", quad: "1em", qquad: "2em", " ": "0.25em" };
const CALLIGRAPHIC = { L: "ℒ", N: "𝒩", D: "𝒟", X: "𝒳", Z: "𝒵", H: "ℋ", R: "ℛ", U: "𝒰", A: "𝒜", B: "ℬ", C: "𝒞", M: "ℳ", S: "𝒮" };
const DOUBLE = { R: "ℝ", E: "𝔼", N: "ℕ", Z: "ℤ", P: "ℙ", H: "ℍ" };

/** MathML for LaTeX; null where something is not known, so that the caller writes plain text instead. */
export function mathml(latex) {
  try {
    const tokens = latex.match(/\\[A-Za-z]+|\\.|[^\s]/gu) ?? [];
    const reader = new Reader(tokens);
    const row = reader.row(null);
    if (reader.at < tokens.length) return null;
    const math = node("math", row);
    math.setAttribute("display", "inline");
    return math;
  } catch (error) {
    if (error instanceof Unknown) return null;
    throw error;
  }
}

class Unknown extends Error {}

function node(tag, ...children) {
  const element = document.createElementNS(MATHML, tag);
  element.append(...children);
  return element;
}

class Reader {
  constructor(tokens) {
    this.tokens = tokens;
    this.at = 0;
  }

  /** Everything up to a closing token (or the end). */
  row(closing) {
    const row = node("mrow");
    while (this.at < this.tokens.length && this.tokens[this.at] !== closing) row.append(this.scripted());
    if (closing) {
      if (this.at >= this.tokens.length) throw new Unknown();
      this.at += 1;
    }
    return row;
  }

  /** An atom with what is below and above it. */
  scripted() {
    const base = this.atom();
    const scripts = {};
    while (this.tokens[this.at] === "_" || this.tokens[this.at] === "^") {
      const place = this.tokens[this.at];
      this.at += 1;
      scripts[place] = this.atom();
    }
    if (scripts._ && scripts["^"]) return node("msubsup", base, scripts._, scripts["^"]);
    if (scripts._) return node("msub", base, scripts._);
    return scripts["^"] ? node("msup", base, scripts["^"]) : base;
  }

  atom() {
    const token = this.tokens[this.at];
    if (token === undefined) throw new Unknown();
    this.at += 1;
    if (token === "{") return this.row("}");
    if (token.startsWith("\\") && token.length > 1) return this.command(token.slice(1));
    if (/\d/.test(token)) return this.number(token);
    if (/\p{L}/u.test(token)) return node("mi", token);
    if (token === "}" || token === "&" || token === "#") throw new Unknown();
    return this.operator(token === "-" ? "−" : token);
  }

  number(first) {
    let text = first;
    while (/[\d.]/.test(this.tokens[this.at] ?? "")) {
      text += this.tokens[this.at];
      this.at += 1;
    }
    return node("mn", text);
  }

  command(name) {
    if (name in SPACES) {
      const space = node("mspace");
      space.setAttribute("width", SPACES[name]);
      return space;
    }
    if (name in LETTERS) return node("mi", LETTERS[name]);
    if (name in OPERATORS) return this.operator(OPERATORS[name]);
    if (NAMED.includes(name)) return upright(name);
    if (name in ACCENTS) return this.accent(ACCENTS[name]);
    if (STYLES.includes(name)) return upright(this.word());
    if (name === "mathcal") return node("mi", this.letter(CALLIGRAPHIC));
    if (name === "mathbb") return node("mi", this.letter(DOUBLE));
    if (name === "mathbf" || name === "boldsymbol" || name === "displaystyle") return name === "displaystyle" ? node("mrow") : this.atom();
    if (name === "frac" || name === "tfrac" || name === "dfrac") return node("mfrac", this.atom(), this.atom());
    if (name === "sqrt") return node("msqrt", this.atom());
    if (["left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr"].includes(name)) return this.tokens[this.at] === "." ? this.nothing() : this.atom();
    throw new Unknown();
  }

  operator(sign) {
    const operator = node("mo", sign);
    if ("‖|()[]".includes(sign)) operator.setAttribute("stretchy", "false");
    return operator;
  }

  accent(sign) {
    const over = node("mover", this.atom(), node("mo", sign));
    over.setAttribute("accent", "true");
    return over;
  }

  nothing() {
    this.at += 1;
    return node("mrow");
  }

  /** The letters between braces, as they are. */
  word() {
    if (this.tokens[this.at] !== "{") return this.tokens[this.at++] ?? "";
    let text = "";
    for (this.at += 1; this.tokens[this.at] !== "}"; this.at += 1) {
      if (this.at >= this.tokens.length || this.tokens[this.at].startsWith("\\")) throw new Unknown();
      text += this.tokens[this.at];
    }
    this.at += 1;
    return text;
  }

  letter(table) {
    const letter = this.word();
    if (!(letter in table)) throw new Unknown();
    return table[letter];
  }
}

function upright(text) {
  const word = node("mi", text);
  word.setAttribute("mathvariant", "normal");
  return word;
}
