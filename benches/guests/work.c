/* Which work: called for each event, or by the machine's own way of calling a guest. */
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

uint32_t work(uint32_t what, uint32_t rounds) {
  switch (what) {
    case WORK_COREMARK: return coremark(rounds);
    case WORK_AES: return aes(rounds);
    case WORK_SHA256: return sha256(rounds);
    case WORK_TRAP: return trap(rounds);
    case WORK_LOOP: return loop(rounds);
    case WORK_UNSEEN: return unseen(rounds);
    default: return rounds + 1;
  }
}
