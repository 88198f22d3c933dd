// Our modules for browsers in V8: `node wasm.mjs MODULE [GUEST]`. Reads lines, answers with the CPU
// time of the process in nanoseconds. The scrambler takes "WORK PACKETS ROUNDS", the machine "WHAT
// ROUNDS" and adds the guest's sum; "?" for work that it does not know.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [, , path, guest] = process.argv;
const module = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {}).exports;
const put = (at, octets) => new Uint8Array(module.memory.buffer, at, octets.length).set(octets);

function seconds(work) {
  const begun = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) * 1000;
}

const PACKET = 188;
const ODD = 0xc0;
const ONLY_PAYLOAD = 0x10;
// Lanes that the kernels may have.
const LANES = { "csa2-wasm": 512, "csa2-wasm-words": 64 };

function descramble(work, packets, rounds) {
  if (!(work in LANES)) return "?";
  const room = module.packets();
  const data = new Uint8Array(module.capacity() * PACKET);
  for (let i = 0; i < data.length; i++) data[i] = Math.imul(i, 2654435761) >>> 13;
  for (let at = 0; at < data.length; at += PACKET) data.set([0x47, 1, 0, ODD | ONLY_PAYLOAD], at);
  put(module.control_word(), [1, 2, 3, 6, 5, 6, 7, 18]);
  module.set_key(1, 1);
  module.limit(LANES[work]);
  let nanoseconds = 0;
  for (let round = 0; round < rounds; round++) {
    for (let left = packets; left > 0; left -= module.capacity()) {
      put(room, data);
      nanoseconds += seconds(() => module.descramble(Math.min(left, module.capacity())));
    }
  }
  return String(nanoseconds);
}

function event(what, rounds) {
  let returned = 0;
  const nanoseconds = seconds(() => (returned = module.event(what, rounds)));
  return returned ? `${nanoseconds} ${module.sum() >>> 0}` : "?";
}

if (guest) {
  const octets = readFileSync(guest);
  put(module.file(), octets);
  if (!module.load(octets.length)) process.exit(1);
}
for await (const line of createInterface({ input: process.stdin })) {
  const [work, ...numbers] = line.split(" ");
  console.log(guest ? event(Number(work), Number(numbers[0])) : descramble(work, ...numbers.map(Number)));
}
