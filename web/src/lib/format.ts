import type { Phase } from "./state";

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value: number): string {
  return numbers.format(value);
}

/** 83_214_552 -> `83.2 M`: for counters that grow too fast to be read. */
export function big(value: number): string {
  if (value < 10_000) return numbers.format(value);
  if (value < 10_000_000) return `${(value / 1e3).toFixed(value < 1e6 ? 1 : 0)} k`;
  if (value < 10_000_000_000) return `${(value / 1e6).toFixed(1)} M`;
  return `${(value / 1e9).toFixed(1)} G`;
}

export function bitrate(bps: number): string {
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(2)} Mbit/s` : `${(bps / 1e3).toFixed(0)} kbit/s`;
}

export function latency(us: number): string {
  if (us < 1000) return `${us.toFixed(0)} µs`;
  return us < 100_000 ? `${(us / 1000).toFixed(1)} ms` : `${(us / 1000).toFixed(0)} ms`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB", { hour12: false });
}

export function hex(value: number, digits: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(digits, "0")}`;
}

/** `vendor-a` -> `Vendor A`. */
export function vendor(id: string): string {
  return id
    .split("-")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join(" ");
}

const phases: Record<Phase, string> = {
  off: "Powered off",
  booting: "Booting",
  client: "Getting its client",
  waiting: "Waiting for keys",
  playing: "Descrambling",
  not_entitled: "Not entitled",
  chip_gone: "Chip gone",
  failed: "Stopped",
};

export function phase(of: Phase): string {
  return phases[of];
}
