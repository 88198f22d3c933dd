/* The work of one guest, the same source for every machine. Each function returns a sum over what
   it computed, so that all machines can be seen to have done the same. */
#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>

enum {
  WORK_COREMARK, WORK_AES, WORK_SHA256, WORK_TRAP, WORK_EVENT, WORK_UNSEEN, WORK_LOOP
};

uint32_t work(uint32_t what, uint32_t rounds);

/* What each platform gives: a call out to the host. */
uint32_t token_info(uint32_t kind);

uint32_t coremark(uint32_t rounds);
uint32_t aes(uint32_t rounds);
uint32_t sha256(uint32_t rounds);
uint32_t unseen(uint32_t rounds);

/* Octets that one round of aes or sha256 works on. */
#define OCTETS 16384

static inline uint32_t next_random(uint32_t x) { return x * 1664525u + 1013904223u; }

#endif
