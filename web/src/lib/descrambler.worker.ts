// Descrambles a transport stream beside the page, with the scramblers of the project as WebAssembly.
// What it is given stays here: it fetches its module and nothing else.

/** What the page asks for. */
export interface Order {
  file: Blob;
  /** scrambling_mode of EN 300 468. */
  mode: number;
  /** Even, then odd. */
  keys: [Uint8Array, Uint8Array];
}

/** What came out. */
export interface Done {
  clear: Blob;
  packets: number;
  descrambled: number;
  /** Packets for which there was no key. */
  left: number;
  /** Payload bits per second of the descrambling alone. */
  rate: number;
}

export type News = { share: number } | { refusal: string } | { done: Done };

interface Scrambler {
  memory: WebAssembly.Memory;
  capacity(): number;
  packets(): number;
  control_word(): number;
  control_word_len(mode: number): number;
  set_key(mode: number, parity: number): number;
  forget(): void;
  descramble(count: number): number;
  left_scrambled(): number;
}

const PACKET = 188;
const PAYLOAD_BITS = 184 * 8;
const SYNC = 0x47;

class Refusal extends Error {}

async function load(): Promise<Scrambler> {
  const answer = await fetch("/scrambler.wasm");
  if (!answer.ok) throw new Refusal("This server was built without the scrambler for browsers.");
  const { instance } = await WebAssembly.instantiateStreaming(answer, {});
  return instance.exports as unknown as Scrambler;
}

function setKeys(scrambler: Scrambler, mode: number, keys: [Uint8Array, Uint8Array]): void {
  const length = scrambler.control_word_len(mode);
  for (const [parity, key] of keys.entries()) {
    if (key.length !== length) throw new Refusal(`A control word of this mode has ${length} octets.`);
    const at = scrambler.control_word();
    new Uint8Array(scrambler.memory.buffer, at, length).set(key);
    scrambler.set_key(mode, parity);
    key.fill(0);
  }
}

/** Where the first of these packets begins that is none. */
function fault(octets: Uint8Array): number | undefined {
  for (let at = 0; at < octets.length; at += PACKET) if (octets[at] !== SYNC) return at;
  return octets.length % PACKET === 0 ? undefined : octets.length - (octets.length % PACKET);
}

async function descramble({ file, mode, keys }: Order): Promise<Done> {
  const scrambler = await load();
  setKeys(scrambler, mode, keys);
  const step = scrambler.capacity() * PACKET;
  const room = scrambler.packets();
  const parts: Blob[] = [];
  let [descrambled, left, milliseconds] = [0, 0, 0];
  for (let at = 0; at < file.size; at += step) {
    const octets = new Uint8Array(await file.slice(at, at + step).arrayBuffer());
    const wrong = fault(octets);
    if (wrong !== undefined) throw new Refusal(`No transport packet at offset ${at + wrong}.`);
    new Uint8Array(scrambler.memory.buffer, room, octets.length).set(octets);
    const begin = performance.now();
    descrambled += scrambler.descramble(octets.length / PACKET);
    milliseconds += performance.now() - begin;
    left += scrambler.left_scrambled();
    // A copy: the memory is written again by the next packets.
    parts.push(new Blob([new Uint8Array(scrambler.memory.buffer, room, octets.length).slice()]));
    tell({ share: Math.min(1, (at + step) / file.size) });
  }
  scrambler.forget();
  const rate = milliseconds > 0 ? (descrambled * PAYLOAD_BITS * 1000) / milliseconds : 0;
  return { clear: new Blob(parts, { type: "video/mp2t" }), packets: file.size / PACKET, descrambled, left, rate };
}

const tell = (news: News): void => postMessage(news);

onmessage = async ({ data }: MessageEvent<Order>) => {
  try {
    tell({ done: await descramble(data) });
  } catch (error) {
    tell({ refusal: error instanceof Refusal ? error.message : `The scrambler failed: ${String(error)}` });
  }
};
