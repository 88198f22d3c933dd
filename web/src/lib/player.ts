import mpegts from "mpegts.js";

const RETRY_FIRST_MS = 300;
const RETRY_LAST_MS = 4000;

mpegts.LoggingControl.enableAll = false;

/**
 * Plays one live transport stream in a video element until it is stopped; after an error or the
 * stream's end it starts anew, with growing waits. Gives the function that stops it.
 */
export function play(video: HTMLVideoElement, path: string): () => void {
  let player: mpegts.Player | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = RETRY_FIRST_MS;
  let stopped = false;

  const drop = (): void => {
    const old = player;
    player = null;
    if (!old) return;
    try {
      old.destroy();
    } catch {
      // A player that failed half-way has nothing left to release.
    }
  };
  const again = (): void => {
    drop();
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(start, wait);
    wait = Math.min(wait * 2, RETRY_LAST_MS);
  };
  const start = (): void => {
    if (stopped) return;
    player = mpegts.createPlayer(
      { type: "mpegts", isLive: true, url: new URL(path, location.href).href },
      {
        isLive: true,
        enableWorker: false,
        enableStashBuffer: false,
        lazyLoad: false,
        autoCleanupSourceBuffer: true,
        autoCleanupMaxBackwardDuration: 20,
        autoCleanupMinBackwardDuration: 8,
        liveBufferLatencyChasing: true,
        liveBufferLatencyMaxLatency: 1.6,
        liveBufferLatencyMinRemain: 0.5,
      },
    );
    const mine = player;
    // Not at once: the player tells of it in the middle of its own work, which goes on after us.
    const afterwards = (): void => {
      setTimeout(() => {
        if (player === mine) again();
      });
    };
    player.on(mpegts.Events.ERROR, afterwards);
    player.on(mpegts.Events.LOADING_COMPLETE, afterwards);
    player.attachMediaElement(video);
    player.load();
    void Promise.resolve(player.play()).catch(() => {
      // Refused autoplay or a load that was overtaken; `playing` tells when it works.
    });
  };
  const works = (): void => {
    wait = RETRY_FIRST_MS;
  };
  video.addEventListener("playing", works);
  start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    video.removeEventListener("playing", works);
    drop();
  };
}

/** Plays a transport stream that is all there; gives the function that stops it. */
export function playRecording(video: HTMLVideoElement, url: string): () => void {
  const player = mpegts.createPlayer({ type: "mpegts", isLive: false, url }, { enableWorker: false });
  player.attachMediaElement(video);
  player.load();
  void Promise.resolve(player.play()).catch(() => {
    // Refused autoplay: the video has controls.
  });
  return () => player.destroy();
}
