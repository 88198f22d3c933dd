import type { Done, News, Order } from "./descrambler.worker";

export type { Done };

/** Names and scrambling_mode values (EN 300 468) of what recordings are scrambled with. */
export const MODES: readonly { name: string; value: number; octets: number }[] = [
  { name: "csa2", value: 0x01, octets: 8 },
  { name: "csa2-full", value: 0x02, octets: 8 },
  { name: "cissa", value: 0x10, octets: 16 },
  { name: "idsa", value: 0x70, octets: 16 },
  { name: "aes-cbc", value: 0xf0, octets: 16 },
  { name: "aes-ctr", value: 0xf1, octets: 16 },
];

/** The largest file that is taken: it lies in the browser's memory once more. */
const FILE_OCTETS_MAX = 2 ** 30;

/** One control word, or even and odd with a comma between them, as `portcullis descramble --cw` takes them. */
export function parseKeys(text: string, octets: number): [Uint8Array, Uint8Array] | string {
  const words = text.split(",").map((word) => word.trim());
  if (words.length > 2) return "At most two control words: even and odd.";
  const parsed = words.map((word) => (/^([0-9a-f]{2})*$/i.test(word) ? word.match(/../g) ?? [] : []));
  const [even, odd = even] = parsed.map((pairs) => Uint8Array.from(pairs, (pair) => parseInt(pair, 16)));
  if (!even || !odd || even.length !== octets || odd.length !== octets) {
    return `A control word of this mode has ${octets} octets, ${2 * octets} hexadecimal digits.`;
  }
  return [even, odd.slice()];
}

/** Descrambles a file in a worker of its own, which ends with it, keys and all. */
export function descramble(order: Order, progress: (share: number) => void): Promise<Done> {
  if (order.file.size > FILE_OCTETS_MAX) return Promise.reject(new Error("The file is larger than 1 GiB."));
  const worker = new Worker(new URL("./descrambler.worker.ts", import.meta.url), { type: "module" });
  return new Promise<Done>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<News>) => {
      if ("share" in data) progress(data.share);
      else if ("done" in data) resolve(data.done);
      else reject(new Error(data.refusal));
    };
    worker.postMessage(order, order.keys.map((key) => key.buffer));
  }).finally(() => worker.terminate());
}
