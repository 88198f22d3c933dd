// The page against the real programs: a picture that moves, stops and comes back as the rights
// say, and goes dark with the chip.
//
//   node e2e/picture.spec.mjs        (needs /usr/bin/chromium and the built programs)
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const program = process.env["PORTCULLIS_BIN"] ?? join(root, "target/release/portcullis");
const browserPath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const shots = join(root, "target/page");

const ON_AIR_MS = 10_000;
const CRYPTO_PERIOD_MS = 5_000;
/** For what the page still has in its buffer, and for a busy machine. */
const MARGIN_MS = 5_000;

for (const [what, path] of [["the program", program], ["chromium", browserPath]]) {
  if (!existsSync(path)) {
    console.log(`SKIPPED the page in a browser: ${what} is missing: ${path}\n0 passed, 0 failed, 1 skipped`);
    process.exit(0);
  }
}
mkdirSync(shots, { recursive: true });

let passed = 0;
let failed = 0;
async function test(name, body) {
  const begin = Date.now();
  try {
    await body();
    passed += 1;
    console.log(`ok      ${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${String(error?.message ?? error).replaceAll("\n", "\n        ")}`);
    await page?.screenshot({ path: join(shots, `failed-${failed}.png`) }).catch(() => {});
  }
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(what, ms, check) {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await check();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(100);
  }
}

const folder = mkdtempSync(join(tmpdir(), "portcullis-page-"));
const data = join(folder, "data");
const begin = Date.now();
const up = spawn(program, ["up", "--data", data, "--no-open", "--json", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
let said = "";
up.stderr.on("data", (part) => (said += part));
const ended = new Promise((resolve) => up.on("exit", (code, signal) => resolve(signal ?? code)));
const url = await new Promise((resolve, reject) => {
  let text = "";
  up.stdout.on("data", (part) => {
    text += part;
    const line = text.split("\n").find((each) => each.startsWith("{"));
    if (line) resolve(JSON.parse(line).url);
  });
  up.on("exit", (code) => reject(new Error(`up ended with ${code}: ${said}`)));
}).catch((error) => {
  console.log(`FAILED  up starts\n        ${error.message}\n0 passed, 1 failed`);
  process.exit(1);
});

let page;
const complaints = [];
const outside = [];
const browser = await chromium.launch({
  executablePath: browserPath,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
  ],
});

async function open(colorScheme, viewport = { width: 1440, height: 940 }) {
  const opened = await browser.newPage({ colorScheme, viewport });
  opened.setDefaultTimeout(5_000);
  opened.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  opened.on("pageerror", (error) => complaints.push(error.message));
  opened.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) outside.push(request.url());
  });
  await opened.goto(url);
  return opened;
}
const state = async () => (await fetch(new URL("api/state", url))).json();
const box = async (name) => (await state()).boxes.find((each) => each.name === name);
const tile = (name) => page.locator(`[data-box="${name}"]`);
const phase = (name) => tile(name).getAttribute("data-phase");
const video = (name) =>
  tile(name).locator("video").evaluate((element) => ({
    time: element.currentTime,
    frames: element.getVideoPlaybackQuality().totalVideoFrames,
    shown: getComputedStyle(element).visibility === "visible",
  }));

/** There is such a process, and it is no zombie that nobody reaped. */
function runs(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)[0] !== "Z";
  } catch {
    return false;
  }
}
/** The video's time and its decoded frames grow, and the picture is visible. */
async function moves(name, ms) {
  await until(`the picture of ${name} moves`, ms, async () => {
    const before = await video(name);
    await sleep(500);
    const after = await video(name);
    return after.shown && after.time > before.time + 0.2 && after.frames > before.frames + 3;
  });
}
/** Nothing of a picture is left. */
async function dark(name, ms) {
  await until(`the picture of ${name} stops`, ms, async () => {
    const before = await video(name);
    await sleep(600);
    const after = await video(name);
    return !after.shown && after.frames <= before.frames;
  });
}

await test("the picture is on air and in the box within 10 s of the start, on a new directory", async () => {
  await until("/healthz is 200", ON_AIR_MS, async () => (await fetch(new URL("healthz", url))).status === 200);
  assert.ok(Date.now() - begin < ON_AIR_MS, `took ${Date.now() - begin} ms`);
});
await test("the page plays what comes out of the box", async () => {
  page = await open("dark");
  await moves("living-room", 8_000);
});
await test("it goes on over key changes", async () => {
  const before = await video("living-room");
  const period = (await state()).channel.crypto_period.number;
  await until("two key changes", 4 * CRYPTO_PERIOD_MS, async () => (await state()).channel.crypto_period.number >= period + 2);
  await moves("living-room", 3_000);
  const after = await video("living-room");
  assert.ok(after.frames - before.frames > 100, `${after.frames - before.frames} frames`);
  assert.equal((await box("living-room")).descrambler.left_scrambled, 0);
});
await test("what is on air is scrambled, and the page shows its bytes", async () => {
  const { channel } = await state();
  assert.ok(channel.scrambled_share > 0.5, `share ${channel.scrambled_share}`);
  const picture = () => page.locator('[data-tile="air"] canvas').evaluate((canvas) => canvas.toDataURL());
  const before = await picture();
  await sleep(400);
  assert.notEqual(await picture(), before);
});
await test("the chain of trust is shown link by link, all accepted", async () => {
  const { boot } = await box("living-room");
  assert.deepEqual(boot.map((each) => each.link), ["rom", "bootloader", "platform", "client"]);
  assert.ok(boot.every((each) => each.verdict === "accepted" && /^[0-9a-f]{64}$/.test(each.hash)));
});
await test("screenshots in dark, light and narrow", async () => {
  await page.screenshot({ path: join(shots, "dark.png") });
  for (const [name, size] of [["light", { width: 1440, height: 940 }], ["narrow", { width: 420, height: 900 }]]) {
    const other = await open("light", size);
    await other.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 1, null, { timeout: 8_000 });
    await other.screenshot({ path: join(shots, `${name}.png`) });
    const wide = await other.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    await other.close();
    assert.ok(!wide, `${name}: wider than the window`);
  }
});
await test("cancelled by the page's button, the picture ends within a crypto-period", async () => {
  await tile("living-room").locator('[data-do="cancel"][data-product="one"]').click();
  await dark("living-room", CRYPTO_PERIOD_MS + MARGIN_MS);
  assert.equal(await phase("living-room"), "not_entitled");
  assert.match(await tile("living-room").locator("[data-reason]").innerText(), /not entitled/i);
  await page.screenshot({ path: join(shots, "cancelled.png") });
});
await test("entitled again, it comes back", async () => {
  await tile("living-room").locator('[data-do="entitle"][data-product="one"]').click();
  await moves("living-room", CRYPTO_PERIOD_MS + MARGIN_MS);
});
await test("a box of the other vendor boots dark, and is sold the package", async () => {
  await page.locator("form input").fill("bedroom");
  await page.locator("form select").selectOption("vendor-b");
  await page.locator("form button").click();
  await until("bedroom is dark for want of a right", 15_000, async () => (await box("bedroom"))?.phase === "not_entitled");
  await tile("bedroom").locator('[data-do="entitle"][data-product="all"]').click();
  await moves("bedroom", 2 * CRYPTO_PERIOD_MS + MARGIN_MS);
  assert.equal((await box("bedroom")).client.vendor, "vendor-b");
  await page.screenshot({ path: join(shots, "two-boxes.png"), fullPage: true });
});
await test("when the chip's process is killed, its tile goes black and the other plays on", async () => {
  const { chip_pid } = await box("living-room");
  process.kill(chip_pid, "SIGKILL");
  await dark("living-room", 2_000);
  assert.equal(await phase("living-room"), "chip_gone");
  await moves("bedroom", 3_000);
});
await test("power on boots it again, chain and all", async () => {
  await tile("living-room").locator('[data-do="power"]').click();
  await moves("living-room", CRYPTO_PERIOD_MS + MARGIN_MS);
});
const recording = page.locator("[data-recording]");
if ((await fetch(new URL("scrambler.wasm", url))).status !== 200) {
  console.log("SKIPPED a recording: the program was built without the scrambler for browsers");
} else {
  await test("a recording is descrambled in the browser, octet for octet, and played", async () => {
    const clear = join(root, "crates/assets/data/sample.ts");
    const scrambled = join(folder, "scrambled.ts");
    const words = "0102030405060708,1112131415161718";
    execFileSync(program, ["scramble", "--mode", "csa2", "--cw", words, "--parity", "odd", "--input", clear, "--output", scrambled]);
    await recording.locator("summary").click();
    await recording.locator("input[type=file]").setInputFiles(scrambled);
    await recording.locator("input.words").fill(words);
    await recording.locator("button").click();
    const said = await recording.locator("[data-done]").innerText({ timeout: 15_000 });
    assert.match(said, /packets descrambled, [0-9.]+ Mbit\/s/);
    const made = await recording.locator("a[download]").evaluate(async (link) => {
      const digest = await crypto.subtle.digest("SHA-256", await (await fetch(link.href)).arrayBuffer());
      return Array.from(new Uint8Array(digest), (octet) => octet.toString(16).padStart(2, "0")).join("");
    });
    assert.equal(made, createHash("sha256").update(readFileSync(clear)).digest("hex"));
    const frames = () => recording.locator("video").evaluate((video) => video.getVideoPlaybackQuality().totalVideoFrames);
    await until("the recording plays", 8_000, async () => (await frames()) > 10);
    assert.equal(await recording.locator("input.words").inputValue(), "", "the control words are forgotten");
    console.log(`        ${said}`);
  });
  await test("what is no transport stream is refused with its place", async () => {
    const wrong = join(folder, "wrong.ts");
    writeFileSync(wrong, Buffer.concat([Buffer.alloc(188, 0x47), Buffer.alloc(188, 0x46)]));
    await recording.locator("input[type=file]").setInputFiles(wrong);
    await recording.locator("input.words").fill("0102030405060708");
    await recording.locator("button").click();
    assert.match(await recording.locator("[role=alert]").innerText(), /offset 188/);
  });
}
await test("no console errors, no request to anywhere else", async () => {
  assert.deepEqual(complaints.slice(0, 5), []);
  assert.deepEqual(outside, []);
});
await browser.close();
await test("SIGTERM ends it cleanly and leaves no process behind", async () => {
  const pids = [up.pid, ...(await state()).processes.map((each) => each.pid), ...(await state()).boxes.flatMap((each) => [each.chip_pid, each.terminal_pid])];
  up.kill("SIGTERM");
  const how = await Promise.race([ended, sleep(10_000).then(() => "still running")]);
  assert.equal(how, 0, said);
  const left = () => pids.filter((pid) => pid && runs(pid));
  await until("all processes are gone", 2_000, () => left().length === 0);
});

up.kill("SIGKILL");
rmSync(folder, { recursive: true, force: true });
if (failed > 0 && process.env["VERBOSE"]) console.log(said);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
