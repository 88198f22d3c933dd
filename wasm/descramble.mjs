// Descrambles or scrambles a transport stream with the page's module, in node:
//
//   node descramble.mjs MODULE descramble|scramble MODE EVEN,ODD LANES INPUT OUTPUT
//
// MODE is a scrambling_mode of EN 300 468. LANES limits the kernels: 64 is the path in plain words.
// Scrambling is with the even key, of all packets that have a payload.
import { readFileSync, writeFileSync } from "node:fs";

const PACKET = 188;
const [, , path, direction, mode, keys, lanes, input, output] = process.argv;
const module = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {}).exports;

for (const [parity, key] of keys.split(",").entries()) {
  const octets = Buffer.from(key, "hex");
  const at = module.control_word();
  new Uint8Array(module.memory.buffer, at, octets.length).set(octets);
  if (!module.set_key(Number(mode), parity)) throw new Error(`no mode ${mode}`);
}
module.limit(Number(lanes));
const stream = readFileSync(input);
const room = module.packets();
const step = module.capacity() * PACKET;
for (let at = 0; at < stream.length; at += step) {
  const part = stream.subarray(at, at + step);
  new Uint8Array(module.memory.buffer, room, part.length).set(part);
  if (direction === "scramble") module.scramble(part.length / PACKET, 0);
  else module.descramble(part.length / PACKET);
  part.set(new Uint8Array(module.memory.buffer, room, part.length));
}
module.forget();
writeFileSync(output, stream);
