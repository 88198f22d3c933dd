import type { State } from "./state";

/** Waits between attempts to reach the server again. */
const RECONNECT_MS = 1000;

/** The page's only source: the last snapshot, and whether the server still sends them. */
class Live {
  state = $state.raw<State | null>(null);
  connected = $state(false);
  /** The last refused action, shown until the next one. */
  refusal = $state<string | null>(null);
  /** The server's clock minus ours. */
  clockSkewMs = 0;

  start(): () => void {
    let source: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const open = (): void => {
      source = new EventSource("/api/events");
      source.onmessage = (message: MessageEvent<string>) => {
        const next = JSON.parse(message.data) as State;
        this.clockSkewMs = next.time_ms - Date.now();
        this.state = next;
        this.connected = true;
      };
      source.onerror = () => {
        this.connected = false;
        source?.close();
        timer = setTimeout(open, RECONNECT_MS);
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      source?.close();
    };
  }

  /** Now, by the server's clock. */
  now(): number {
    return Date.now() + this.clockSkewMs;
  }

  /** Asks the server to do something; a refusal is kept in `refusal`. */
  async post(path: string, body: unknown = {}): Promise<boolean> {
    try {
      const answer = await fetch(path, {
        method: "POST",
        // A header that no other site's form can send.
        headers: { "content-type": "application/json", "x-portcullis": "1" },
        body: JSON.stringify(body),
      });
      const result = (await answer.json()) as { error?: string };
      this.refusal = answer.ok ? null : (result.error ?? `refused (${answer.status})`);
      return answer.ok;
    } catch {
      this.refusal = "the server does not answer";
      return false;
    }
  }

  box(name: string, action: "entitle" | "unentitle" | "power", body: unknown): Promise<boolean> {
    return this.post(`/api/boxes/${encodeURIComponent(name)}/${action}`, body);
  }
}

export const live = new Live();
