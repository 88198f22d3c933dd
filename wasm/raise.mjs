// Runs a guest in the machine's module, in node, and raises one event with two parameters:
//
//   node raise.mjs MODULE GUEST FIRST SECOND
//
// Prints what the guest returned and how many instructions it has retired since it was loaded.
import { readFileSync } from "node:fs";

const [, , path, guest, first, second] = process.argv;
const module = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {}).exports;
const octets = readFileSync(guest);
const at = module.file();
new Uint8Array(module.memory.buffer, at, octets.length).set(octets);
if (!module.load(octets.length)) throw new Error("the guest is refused");
if (!module.event(Number(first), Number(second))) throw new Error("the guest was stopped");
console.log(JSON.stringify({ value: module.sum() >>> 0, instructions: module.retired() }));
