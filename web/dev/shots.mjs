// Screenshots of a running page in light and dark, wide and narrow: node dev/shots.mjs URL DIR
import { chromium } from "playwright-core";

const [url = "http://127.0.0.1:8090", dir = "../target"] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"],
});
for (const [name, colorScheme, width, height] of [["dark", "dark", 1440, 900], ["light", "light", 1440, 900], ["narrow", "light", 420, 900]]) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  page.on("console", (message) => console.log(message.type(), message.text()));
  page.on("pageerror", (error) => console.log("error", error.message));
  await page.goto(url);
  await page.waitForTimeout(5000);
  await page.screenshot({ path: `${dir}/page-${name}.png` });
  if (process.argv.includes("--full")) await page.screenshot({ path: `${dir}/page-${name}-full.png`, fullPage: true });
  console.log(name, await page.evaluate(() => [...document.querySelectorAll("video")].map((v) => [v.currentTime, v.getVideoPlaybackQuality().totalVideoFrames])));
  await page.close();
}
await browser.close();
