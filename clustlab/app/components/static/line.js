/** The line to the server over which a run's news are pushed; it comes back by itself when it breaks. */

const RETRY_MS = [300, 600, 1200, 2500, 5000];

export class Line {
  /**
   * @param {object} ends `opened()`, `heard(text)` and `received(buffer)` are called with what comes, `changed()` when the line
   *   is lost, and `again()` to connect anew
   */
  constructor(ends) {
    Object.assign(this, { ends, state: "connecting", attempts: 0, closed: false, socket: null });
  }

  connect(address) {
    if (this.closed) return;
    const socket = new WebSocket(address.replace(/^http/, "ws"));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.attempts = 0;
      this.state = "live";
      this.ends.opened();
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.ends.heard(data) : this.ends.received(data));
    socket.onclose = () => {
      if (this.socket === socket) this.retry(this.ends.again);
    };
    this.socket = socket;
  }

  /** Do something again a little later, each time after a longer wait. */
  retry(act) {
    if (this.closed) return;
    this.state = "offline";
    this.ends.changed();
    const wait = RETRY_MS[Math.min(this.attempts, RETRY_MS.length - 1)];
    this.attempts += 1;
    clearTimeout(this.retrying);
    this.retrying = setTimeout(act, wait * (0.75 + 0.5 * Math.random()));
  }

  /** Say something, if anybody listens; tells whether somebody does. */
  say(content) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(content));
    return true;
  }

  close() {
    this.closed = true;
    clearTimeout(this.retrying);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }
}
