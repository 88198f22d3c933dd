/* A client: parameter 0 of its event says which program, in the order of the header, parameter 1 how
   often. */
#include "corpus.h"
#include "portcullis.h"

#define NAMED(name) name,
static uint32_t (*const ALL[])(uint32_t) = {PROGRAMS(NAMED)};

void pt_initialize(void) {}

uint32_t pt_event(uint32_t event, const uint32_t params[PT_EVENT_PARAMS_MAX]) {
  (void)event;
  return params[0] < sizeof ALL / sizeof *ALL ? ALL[params[0]](params[1]) : 0;
}
