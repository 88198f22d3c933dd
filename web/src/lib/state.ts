/** The snapshot that `/api/state` and `/api/events` carry; `console::state` in Rust is the same. */
export interface State {
  /** Grows by one with each snapshot. */
  seq: number;
  /** Time of the server when the snapshot was made, ms since 1970. */
  time_ms: number;
  /** Version of the program. */
  version: string;
  channel: Channel;
  /** The supervised programs that are no boxes. */
  processes: Process[];
  products: Product[];
  ca_systems: CaSystem[];
  boxes: Box[];
  /** What happened last, newest first. */
  log: LogLine[];
}

/** What is on air. */
export interface Channel {
  on_air: boolean;
  name: string;
  service_id: number;
  /** Name of the scrambling mode, such as `DVB-CISSA`. */
  mode: string;
  /** Measured over the last second, null packets included. */
  bitrate_bps: number;
  /** Scrambled packets among those that are no null packets, 0 to 1. */
  scrambled_share: number;
  crypto_period: CryptoPeriod | null;
  /** From CW_provision to the last ECM_response of a crypto-period. */
  ecm: Latency;
}

export type Parity = "even" | "odd";

/** The crypto-period that the scrambler is in. */
export interface CryptoPeriod {
  number: number;
  parity: Parity;
  started_ms: number;
  duration_ms: number;
}

/** A latency over the last minute. */
export interface Latency {
  p50_us: number;
  p99_us: number;
  /** All values since the start. */
  count: number;
  /** The last values, oldest first, at most 60. */
  samples_us: number[];
}

export interface Process {
  /** `ecmg`, `headend`, `emmg`, `centre`. */
  role: string;
  pid: number | null;
  running: boolean;
  restarts: number;
}

export interface Product {
  name: string;
  services: number[];
}

export interface CaSystem {
  vendor: string;
  ca_system_id: number;
  super_cas_id: number;
}

/** Where a box is on its way to a picture. */
export type Phase = "off" | "booting" | "client" | "waiting" | "playing" | "not_entitled" | "chip_gone" | "failed";

export interface Box {
  name: string;
  vendor: string;
  powered: boolean;
  phase: Phase;
  /** Why there is no picture, in words for the user; null while there is one. */
  reason: string | null;
  /** Grows each time the picture starts anew: a player then starts anew too. */
  picture: number;
  chip_id: string | null;
  chip_pid: number | null;
  terminal_pid: number | null;
  /** The chain of trust of this boot, first link first. */
  boot: BootLink[];
  client: Client | null;
  entitlements: Entitlement[];
  /** From an ECM's arrival to its control words in the descrambler. */
  ecm: Latency;
  descrambler: Descrambler | null;
}

export interface BootLink {
  /** `rom`, `bootloader`, `platform`, `client`. */
  link: string;
  verdict: "accepted" | "refused" | "pending";
  signer: string;
  /** SHA-256 of the image, hex. */
  hash: string;
  version: string;
  /** Why it was refused. */
  detail: string | null;
}

export interface Client {
  name: string;
  vendor: string;
  version: string;
  state: "downloading" | "verified" | "installed" | "running" | "stopped" | "refused";
  /** Of the download, 0 to 100. */
  percent: number | null;
  svm_state: string | null;
  instructions: number | null;
}

/** One product as the operator sold it and as the box holds it. */
export interface Entitlement {
  product: string;
  sold: boolean;
  held: boolean;
  /** Until when, s since 1970. */
  until_s: number | null;
  /** From the sale to the box's first picture by it. */
  took_ms: number | null;
}

export interface Descrambler {
  descrambled: number;
  left_scrambled: number;
  packets_per_s: number;
  parity: Parity | null;
}

export interface LogLine {
  /** Grows by one with each line. */
  id: number;
  time_ms: number;
  level: "note" | "good" | "warn" | "bad";
  /** Name of a box, or the role of a program. */
  about: string;
  text: string;
}
