/* For our machine: the work is asked for by the two parameters of an event. */
#include "portcullis.h"
#include "work.c"

uint32_t token_info(uint32_t kind) { return pt_token_info(kind).result; }

void pt_initialize(void) {}

uint32_t pt_event(uint32_t event, const uint32_t params[PT_EVENT_PARAMS_MAX]) {
  (void)event;
  return work(params[0], params[1]);
}

/* In one piece with the handler, as the SDK's page advises for short events. */
#include "../../clients/sdk-c/runtime.c"
