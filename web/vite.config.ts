import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const server = "http://127.0.0.1:8090";

export default defineConfig({
  plugins: [svelte()],
  // The page is served by the binary only: no inlined blobs, few files, no source maps.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: false, chunkSizeWarningLimit: 700 },
  // `npm run dev` beside `npm run mock` or a running `portcullis up`.
  server: { proxy: { "/api": server, "/ts": server, "/healthz": server } },
});
