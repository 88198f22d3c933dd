/* For ckb-vm, which runs a whole program each time: it asks what to do, answers the sum and ends.
   System calls of its host in the measurement: 2100 what, 2101 rounds, 2102 the sum, 2103 a call
   out; 93 ends. */
#include "guest.h"

static inline uint32_t call(long number, uint32_t argument) {
  register long id __asm__("a7") = number;
  register long value __asm__("a0") = (long)argument;
  __asm__ volatile("ecall" : "+r"(value) : "r"(id) : "memory");
  return (uint32_t)value;
}

uint32_t token_info(uint32_t kind) { return call(2103, kind); }

__attribute__((noreturn)) void _start(void) {
  call(2102, work(call(2100, 0), call(2101, 0)));
  for (;;) call(93, 0);
}
