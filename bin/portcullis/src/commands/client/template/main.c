/* A client that reads a toy ECM: table_id, two octets of length, the parity, and 16 octets that
   are masked with 0x5A. A real ECM is sealed for the chip; see KlOpenMessage in the manual. */
#include "portcullis.h"

enum { MASK = 0x5A, WORD = 16, SECTION = 4 + WORD };

static uint32_t service_id;

/* A line of text that is put together piece by piece; what does not fit is left out. */
struct line {
  char text[128];
  uint32_t len;
};

static void add(struct line *line, char c) {
  if (line->len < sizeof line->text) line->text[line->len++] = c;
}

static void add_text(struct line *line, const char *text) {
  while (*text) add(line, *text++);
}

static void add_number(struct line *line, uint32_t number) {
  if (number >= 10) add_number(line, number / 10);
  add(line, (char)('0' + number % 10));
}

static void add_hex(struct line *line, uint8_t octet) {
  add(line, "0123456789abcdef"[octet >> 4]);
  add(line, "0123456789abcdef"[octet & 15]);
}

static uint32_t change_key(uint32_t session) {
  uint8_t section[SECTION], word[WORD];
  pt_reply got = pt_get_token(PT_TOKEN_ECM, section, sizeof section);
  if (got.status < 0 || got.result != SECTION) return PT_REASON_BAD_MESSAGE;
  if ((section[0] & 0xFE) != 0x80) return PT_REASON_BAD_MESSAGE;
  uint32_t parity = section[3];
  for (uint32_t i = 0; i < WORD; i++) word[i] = section[4 + i] ^ MASK;
  /* The harness has no chip: there the control word is only told. */
  pt_reply loaded = pt_kl_load_cw(session, parity, word, 0, 0);
  if (loaded.status < 0 && loaded.status != PT_STATUS_UNSUPPORTED) return PT_REASON_NO_KEY;

  struct line line = {.len = 0};
  add_text(&line, "service ");
  add_number(&line, service_id);
  add_text(&line, ", parity ");
  add_number(&line, parity);
  add_text(&line, ", word [");
  for (uint32_t i = 0; i < WORD; i++) {
    if (i != 0) add_text(&line, ", ");
    add_hex(&line, word[i]);
  }
  add_text(&line, "]");
  return pt_put_msg(line.text, line.len).status < 0 ? PT_REASON_BAD_MESSAGE : PT_REASON_OK;
}

void pt_initialize(void) { service_id = 0; }

uint32_t pt_event(uint32_t event, const uint32_t params[PT_EVENT_PARAMS_MAX]) {
  switch (event) {
    case PT_EVENT_SELECT_CONTENT:
      service_id = params[1];
      return PT_REASON_OK;
    case PT_EVENT_CHANGE_KEY: return change_key(params[0]);
    default: return PT_REASON_OK;
  }
}
