/* For ckb-vm. One system call of the measurement's host, 2100, hands over the sum of the work done
   and comes back with the next work in a0 and a1; 2101 is the call out. */
#include "work.c"

uint32_t token_info(uint32_t kind) {
  register long id __asm__("a7") = 2101;
  register long value __asm__("a0") = (long)kind;
  __asm__ volatile("ecall" : "+r"(value) : "r"(id) : "memory");
  return (uint32_t)value;
}

__attribute__((noreturn)) void _start(void) {
  register long id __asm__("a7") = 2100;
  register long first __asm__("a0") = 0;
  register long second __asm__("a1") = 0;
  for (;;) {
    __asm__ volatile("ecall" : "+r"(first), "+r"(second) : "r"(id) : "memory");
    first = (long)work((uint32_t)first, (uint32_t)second);
    id = 2100;
  }
}
