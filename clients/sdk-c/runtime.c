/* Start code and event loop. */
#include "portcullis.h"

/* The machine has set sp, and ra so that returning from here ends Initialize. Initial data go to
   RAM, .bss becomes zero. */
__asm__(".section .text.start, \"ax\", @progbits\n"
        ".globl _start\n"
        "_start:\n"
        "  la a0, __data_start\n"
        "  la a1, __data_end\n"
        "  la a2, __data_load\n"
        "1: bgeu a0, a1, 2f\n"
        "  lw a3, 0(a2)\n"
        "  sw a3, 0(a0)\n"
        "  addi a0, a0, 4\n"
        "  addi a2, a2, 4\n"
        "  j 1b\n"
        "2: la a0, __bss_start\n"
        "  la a1, __bss_end\n"
        "3: bgeu a0, a1, 4f\n"
        "  sw zero, 0(a0)\n"
        "  addi a0, a0, 4\n"
        "  j 3b\n"
        "4: tail pt_start\n"
        ".text\n");

/* Element 0 the event, 1 what the handler returns, then the parameters. The machine fills it
   before it enters the handler, and reads it after. */
static uint32_t buffer[PT_EVENT_BUFFER_MIN];

static void on_event(void) { buffer[1] = pt_event(buffer[0], buffer + PT_EVENT_BUFFER_HEADER); }

__attribute__((used)) void pt_start(void) {
  pt_set_event_handler(on_event);
  pt_set_event_param_buffer(buffer, PT_EVENT_BUFFER_MIN);
  pt_initialize();
}
