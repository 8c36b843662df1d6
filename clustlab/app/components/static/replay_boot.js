/** Unpacks a replay and opens it; a classic script, as its modules can be loaded only once they are unpacked. */
(async (nonce) => {
  /** The bytes of a piece of the file; it is taken out of the page, which keeps it but once. */
  async function bytes(name) {
    const element = document.querySelector(`script[data-name="${name}"]`);
    if (!element) return null;
    const packed = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
    element.remove();
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  async function text(name) {
    const content = await bytes(name);
    return content && new TextDecoder().decode(content);
  }

  const addressOf = (source) => URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const state = document.getElementById("state");
  if (!window.DecompressionStream || !HTMLScriptElement.supports?.("importmap")) {
    state.textContent = "This browser is too old to open this file; use one of 2023 or later.";
    return;
  }
  try {
    const { modules, styles } = JSON.parse(await text("code"));
    const imports = Object.fromEntries(Object.entries(modules).map(([name, source]) => [`clustlab/${name}`, addressOf(source)]));
    const map = document.createElement("script");
    Object.assign(map, { type: "importmap", nonce, textContent: JSON.stringify({ imports }) });
    document.head.append(map);
    const { open } = await import("clustlab/replay.js");
    await open({ bytes, text, addressOf, styles });
  } catch (error) {
    state.textContent = "This file is damaged or incomplete; ask for it once more.";
    throw error;
  }
})(document.currentScript.nonce);
