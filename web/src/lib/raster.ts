/**
 * Paints on-air packets as they are: one row a packet, one cell a byte. Headers carry the colour
 * of their parity, payloads their own bytes as brightness, null packets almost nothing.
 */
export const PACKET_SIZE = 188;
export const ROWS = 106;

const SYNC = 0x47;
const NULL_PID = 0x1fff;
const RETRY_MS = 1500;
/** Rows painted per frame: a screen in about two seconds. */
const ROWS_PER_FRAME = 1;
/** Packets kept for painting; older ones are forgotten first. */
const QUEUE_MAX = 64;

type Colour = readonly [number, number, number];
const EVEN: Colour = [110, 200, 222];
const ODD: Colour = [240, 184, 104];
const CLEAR: Colour = [214, 222, 230];

export interface RasterNews {
  /** Parity of the last scrambled packet. */
  parity: "even" | "odd";
}

/** Starts painting; gives the function that stops it. */
export function paint(canvas: HTMLCanvasElement, path: string, news: (n: RasterNews) => void): () => void {
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) return () => undefined;
  canvas.width = PACKET_SIZE;
  canvas.height = ROWS;
  const image = context.createImageData(PACKET_SIZE, ROWS);
  image.data.fill(0);
  for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const queue: Uint8Array[] = [];
  const abort = new AbortController();
  let frame = 0;
  let lastCalm = 0;

  const row = (packet: Uint8Array): void => {
    image.data.copyWithin(0, PACKET_SIZE * 4);
    paintRow(image.data, (ROWS - 1) * PACKET_SIZE * 4, packet);
    const control = ((packet[3] ?? 0) >> 6) & 3;
    if (control === 2) news({ parity: "even" });
    if (control === 3) news({ parity: "odd" });
  };
  const tick = (now: number): void => {
    frame = requestAnimationFrame(tick);
    if (calm.matches) {
      if (now - lastCalm < 1000) return;
      lastCalm = now;
      queue.splice(0).forEach(row);
    } else {
      const due = queue.length > QUEUE_MAX / 2 ? ROWS_PER_FRAME + 1 : ROWS_PER_FRAME;
      for (let i = 0; i < due; i += 1) {
        const packet = queue.shift();
        if (packet) row(packet);
      }
    }
    context.putImageData(image, 0, 0);
  };
  frame = requestAnimationFrame(tick);
  void read(path, abort.signal, (packet) => {
    queue.push(packet);
    if (queue.length > QUEUE_MAX) queue.shift();
  });
  return () => {
    cancelAnimationFrame(frame);
    abort.abort();
  };
}

function paintRow(data: Uint8ClampedArray, at: number, packet: Uint8Array): void {
  const pid = (((packet[1] ?? 0) & 0x1f) << 8) | (packet[2] ?? 0);
  const control = ((packet[3] ?? 0) >> 6) & 3;
  const colour = control === 2 ? EVEN : control === 3 ? ODD : CLEAR;
  const dim = pid === NULL_PID ? 0.08 : 1;
  for (let i = 0; i < PACKET_SIZE; i += 1) {
    const byte = packet[i] ?? 0;
    // Headers stand out; payload brightness is the byte, a little flattened to stay calm.
    const level = (i < 4 ? 0.55 + byte / 600 : 0.06 + (byte / 255) * 0.5) * dim;
    data[at] = colour[0] * level;
    data[at + 1] = colour[1] * level;
    data[at + 2] = colour[2] * level;
    data[at + 3] = 255;
    at += 4;
  }
}

async function read(path: string, signal: AbortSignal, packet: (p: Uint8Array) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      const answer = await fetch(path, { signal });
      const reader = answer.ok ? answer.body?.getReader() : undefined;
      let rest = new Uint8Array(0);
      while (reader) {
        const { done, value } = await reader.read();
        if (done) break;
        const bytes = new Uint8Array(rest.length + value.length);
        bytes.set(rest);
        bytes.set(value, rest.length);
        let at = 0;
        while (at + PACKET_SIZE <= bytes.length) {
          if (bytes[at] !== SYNC) {
            at += 1;
            continue;
          }
          packet(bytes.slice(at, at + PACKET_SIZE));
          at += PACKET_SIZE;
        }
        rest = bytes.slice(at);
      }
    } catch {
      // The server went away; it is asked again below.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
