// A stand-in for `portcullis up` while working on the page: invented state, the sample stream for
// every box that plays, and its bytes with noise for payload as what is on air.
//
//   npm run mock            then `npm run dev`, or build and open http://127.0.0.1:8090
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const sample = join(here, "../../crates/assets/data/sample.ts");
const dist = join(here, "../dist");
const port = Number(process.argv[2] ?? 8090);
const period_ms = 5000;
const started = Date.now();
const streams = new Map();

const sha = (text) => Buffer.from(text.repeat(64)).subarray(0, 32).toString("hex");
const link = (name, signer, version, seed) => ({ link: name, verdict: "accepted", signer, hash: sha(seed), version, detail: null });
const boot = (vendor) => [
  link("rom", "burnt in", "1", "R0m?"),
  link("bootloader", "Chip vendor, BL_KEY1", "1.0.0", "bL9x"),
  link("platform", "Platform owner", "0.1.0", "pLf2"),
  link("client", `${vendor === "vendor-a" ? "Vendor A" : "Vendor B"} client series`, "1.0.0", "cL7q"),
];
const latencies = () => Array.from({ length: 36 }, () => 260 + Math.round(Math.random() ** 4 * 900));
const box = (name, vendor, phase, reason, extra = {}) => ({
  name, vendor, powered: true, phase, reason, picture: 1, chip_id: "00c0ffee5eed0001", chip_pid: 4242, terminal_pid: 4250,
  boot: boot(vendor),
  client: { name: "reference client", vendor, version: "1.0.0", state: "running", percent: 100, svm_state: "idle", instructions: 83214552 },
  entitlements: [{ product: "one", sold: phase === "playing", held: phase === "playing", until_s: null, took_ms: phase === "playing" ? 1840 : null }],
  ecm: { p50_us: 412, p99_us: 933, count: 36, samples_us: latencies() },
  descrambler: { descrambled: 1482203, left_scrambled: 12, packets_per_s: 870, parity: "even" },
  ...extra,
});
const boxes = [box("living-room", "vendor-a", "playing", null)];
if (process.argv.includes("--many")) {
  boxes.push(box("bedroom", "vendor-b", "not_entitled", "No right for Gate One."));
  boxes.push(box("kitchen", "vendor-b", "client", "Getting its client, 62 %", {
    boot: boot("vendor-b").slice(0, 3), chip_pid: 4300, descrambler: null, ecm: { p50_us: 0, p99_us: 0, count: 0, samples_us: [] },
    client: { name: "reference client", vendor: "vendor-b", version: "1.0.0", state: "downloading", percent: 62, svm_state: null, instructions: null },
  }));
  boxes.push(box("study", "vendor-a", "chip_gone", "The chip is gone: its process ended, and every key with it.", { chip_pid: null, powered: true }));
}
const log = [];
const say = (level, about, text) => log.unshift({ id: log.length + 1, time_ms: Date.now(), level, about, text });
say("note", "headend", "on air: Gate One, DVB-CISSA");
say("note", "living-room", "ROM verified the bootloader");
say("note", "living-room", "bootloader verified the platform");
say("note", "living-room", "client of Vendor A downloaded, verified and installed");
say("good", "living-room", "entitled to one, in effect after 1.8 s");
say("good", "living-room", "the picture is on");

let seq = 0;
const snapshot = () => {
  const now = Date.now();
  const number = Math.floor((now - started) / period_ms);
  return {
    seq: ++seq, time_ms: now, version: "0.1.0",
    channel: {
      on_air: true, name: "Gate One", service_id: 1, mode: "DVB-CISSA", bitrate_bps: 1.72e6, scrambled_share: 0.913,
      crypto_period: { number, parity: number % 2 ? "odd" : "even", started_ms: started + number * period_ms, duration_ms: period_ms },
      ecm: { p50_us: 640, p99_us: 1480, count: 36, samples_us: latencies() },
    },
    processes: ["ecmg", "headend", "emmg", "centre"].map((role, i) => ({ role, pid: 4200 + i, running: true, restarts: 0 })),
    products: [{ name: "one", services: [1] }, { name: "two", services: [2] }, { name: "all", services: [1, 2] }],
    ca_systems: [{ vendor: "vendor-a", ca_system_id: 0x7a10, super_cas_id: 0x7a100001 }, { vendor: "vendor-b", ca_system_id: 0x7b20, super_cas_id: 0x7b200001 }],
    boxes, log,
  };
};

const act = {
  entitle(of, { product }) {
    of.entitlements = of.entitlements.filter((e) => e.product !== product).concat({ product, sold: true, held: true, until_s: null, took_ms: 900 });
    of.phase = "playing"; of.reason = null; of.picture += 1;
    say("good", of.name, `entitled to ${product}`);
  },
  unentitle(of, { product }) {
    of.entitlements = of.entitlements.filter((e) => e.product !== product);
    of.phase = "not_entitled"; of.reason = "No right for Gate One.";
    for (const stop of streams.get(of.name) ?? []) stop();
    say("warn", of.name, `${product} cancelled`);
  },
  power(of, { on }) {
    of.powered = on; of.phase = on ? "playing" : "off"; of.reason = on ? null : "Powered off."; of.picture += 1; of.chip_pid = on ? 4244 : null;
    if (!on) for (const stop of streams.get(of.name) ?? []) stop();
  },
};

const types = { html: "text/html", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
createServer((request, answer) => {
  const path = new URL(request.url, "http://x").pathname;
  const post = /^\/api\/boxes(?:\/([^/]+)\/(\w+))?$/.exec(path);
  if (request.method === "POST" && post) {
    let text = "";
    request.on("data", (part) => (text += part)).on("end", () => {
      const body = JSON.parse(text || "{}");
      if (!post[1]) boxes.push(box(body.name, body.vendor, "not_entitled", "No right for Gate One."));
      else act[post[2]]?.(boxes.find((b) => b.name === post[1]), body);
      answer.end("{}");
    });
  } else if (path === "/api/events") {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => answer.write(`data: ${JSON.stringify(snapshot())}\n\n`), 500);
    answer.write(`data: ${JSON.stringify(snapshot())}\n\n`);
    request.on("close", () => clearInterval(timer));
  } else if (path.startsWith("/ts/box/")) {
    const name = path.split("/")[3];
    const ffmpeg = spawn("ffmpeg", ["-loglevel", "quiet", "-re", "-stream_loop", "-1", "-i", sample, "-c", "copy", "-f", "mpegts", "-"]);
    const stop = () => { ffmpeg.kill("SIGKILL"); answer.end(); };
    streams.set(name, (streams.get(name) ?? []).concat(stop));
    ffmpeg.stdout.pipe(answer);
    request.on("close", stop);
  } else if (path === "/ts/air") {
    const bytes = readFileSync(sample);
    let at = 0;
    const timer = setInterval(() => {
      const part = Buffer.from(bytes.subarray(at, at + 188 * 6));
      at = (at + 188 * 40) % (bytes.length - 188 * 8);
      const odd = Math.floor((Date.now() - started) / period_ms) % 2;
      for (let p = 0; p + 188 <= part.length; p += 188) {
        const pid = part.readUInt16BE(p + 1) & 0x1fff;
        if (pid !== 0x101 && pid !== 0x102) continue;
        part[p + 3] |= odd ? 0xc0 : 0x80;
        randomBytes(184).copy(part, p + 4);
      }
      answer.write(part);
    }, 100);
    request.on("close", () => clearInterval(timer));
  } else {
    const file = join(dist, path === "/" ? "index.html" : path);
    if (!file.startsWith(dist) || !existsSync(file)) { answer.writeHead(404).end(); return; }
    answer.writeHead(200, { "content-type": types[file.split(".").pop()] ?? "text/plain" }).end(readFileSync(file));
  }
}).listen(port, "127.0.0.1", () => console.log(`mock on http://127.0.0.1:${port}`));
