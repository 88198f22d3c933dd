/* For WebAssembly machines: `work` is exported, `token_info` imported. */
#include "work.c"

__attribute__((export_name("run"))) uint32_t run(uint32_t what, uint32_t rounds) {
  return work(what, rounds);
}

/* What the compiler calls on its own; the same loops as in the C SDK. */
#include "../../clients/sdk-c/memory.c"
