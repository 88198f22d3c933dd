/* Which program: `what` counts them in the order of the header, 0 is none. */
#include "corpus.h"

#define NAMED(name) name,
static uint32_t (*const ALL[])(uint32_t) = {PROGRAMS(NAMED)};

uint32_t work(uint32_t what, uint32_t rounds) {
  return what < sizeof ALL / sizeof *ALL ? ALL[what](rounds) : 0;
}
