/* Which work: included by each machine's own file, so that all compilers see the way in and out
   in one piece. */
#include "guest.h"

static uint32_t trap(uint32_t rounds) {
  uint32_t sum = rounds;
  for (uint32_t i = 0; i < rounds; i++) sum = (sum << 1) ^ token_info(i);
  return sum;
}

/* The loop of `trap` without its call. */
static uint32_t loop(uint32_t rounds) {
  uint32_t sum = rounds;
  for (uint32_t i = 0; i < rounds; i++) {
    uint32_t kind = i;
    __asm__ volatile("" : "+r"(kind));
    sum = (sum << 1) ^ kind;
  }
  return sum;
}

static __attribute__((noinline)) uint32_t long_work(uint32_t what, uint32_t rounds) {
  switch (what) {
    case WORK_COREMARK: return coremark(rounds);
    case WORK_AES: return aes(rounds);
    case WORK_SHA256: return sha256(rounds);
    case WORK_TRAP: return trap(rounds);
    case WORK_LOOP: return loop(rounds);
    case WORK_UNSEEN: return unseen(rounds);
    default: return 0;
  }
}

/* The empty event goes past the switch, and past the registers that the loops want saved. */
uint32_t work(uint32_t what, uint32_t rounds) {
  return what == WORK_EVENT ? rounds + 1 : long_work(what, rounds);
}
