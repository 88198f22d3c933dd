/* Parsers: JSON, BER, sections of a transport stream, markup. */
#include "corpus.h"

static const char JSON[] =
    "{\"id\": 1204, \"title\": \"The \\\"News\\\"\", \"tags\": [\"live\", \"hd\", null, true], "
    "\"start\": -17.25, \"parts\": [{\"n\": 1, \"len\": 90}, {\"n\": 2, \"len\": [1, 2, 3]}], \"x\": {}}";

struct reader {
  const char *at;
  unsigned depth, values;
  uint32_t sum;
};

static void skip(struct reader *r) {
  while (*r->at == ' ' || *r->at == '\n' || *r->at == '\t') r->at++;
}

static int text(struct reader *r) {
  for (r->at++; *r->at != '"'; r->at++) {
    if (*r->at == '\\') r->at++;
    if (!*r->at) return 0;
    r->sum = r->sum * 31 + (uint8_t)*r->at;
  }
  r->at++;
  return 1;
}

static int literal(struct reader *r, const char *word) {
  for (; *word; word++, r->at++)
    if (*r->at != *word) return 0;
  return 1;
}

static int value(struct reader *r) {
  if (++r->depth > 16) return 0;
  r->values++;
  skip(r);
  int ok = 1;
  char c = *r->at;
  if (c == '{' || c == '[') {
    char end = c == '{' ? '}' : ']';
    r->at++, skip(r);
    if (*r->at == end) r->at++;
    else
      for (;;) {
        skip(r);
        if (c == '{') {
          if (*r->at != '"' || !text(r)) return 0;
          skip(r);
          if (*r->at++ != ':') return 0;
        }
        if (!value(r)) return 0;
        skip(r);
        char mark = *r->at++;
        if (mark == end) break;
        if (mark != ',') return 0;
      }
  } else if (c == '"') ok = text(r);
  else if (c == 't') ok = literal(r, "true");
  else if (c == 'n') ok = literal(r, "null");
  else {
    int negative = c == '-';
    if (negative) r->at++;
    int32_t n = 0;
    for (; *r->at >= '0' && *r->at <= '9'; r->at++) n = n * 10 + (*r->at - '0');
    if (*r->at == '.')
      for (r->at++; *r->at >= '0' && *r->at <= '9'; r->at++) n = n * 10 + (*r->at - '0');
    r->sum += (uint32_t)(negative ? -n : n);
  }
  r->depth--;
  return ok;
}

uint32_t json(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    struct reader r = {JSON, 0, 0, i};
    if (!value(&r)) return 0;
    sum += r.sum ^ r.values;
  }
  return sum | 1;
}

static uint8_t octets[512];

static unsigned put(uint8_t *to, uint8_t tag, const uint8_t *from, unsigned len) {
  unsigned at = 0;
  to[at++] = tag;
  if (len < 128) to[at++] = (uint8_t)len;
  else to[at++] = 0x82, to[at++] = (uint8_t)(len >> 8), to[at++] = (uint8_t)len;
  for (unsigned i = 0; i < len; i++) to[at++] = from[i];
  return at;
}

static uint32_t read_tlv(const uint8_t *at, const uint8_t *end, unsigned depth) {
  uint32_t sum = depth;
  while (at < end) {
    uint8_t tag = *at++;
    if (at >= end) return 0;
    uint32_t len = *at++;
    if (len & 0x80) {
      unsigned more = len & 0x7F;
      if (more > 4 || (uint32_t)(end - at) < more) return 0;
      for (len = 0; more--;) len = len << 8 | *at++;
    }
    if ((uint32_t)(end - at) < len) return 0;
    if (tag & 0x20 && depth < 8) sum = sum * 5 + read_tlv(at, at + len, depth + 1);
    else if (tag == 2) {
      int32_t n = at[0] & 0x80 ? -1 : 0;
      for (uint32_t i = 0; i < len; i++) n = n << 8 | at[i];
      sum += (uint32_t)n;
    } else
      for (uint32_t i = 0; i < len; i++) sum = left(sum, 7) ^ at[i];
    at += len;
  }
  return sum;
}

uint32_t tlv(uint32_t rounds) {
  static uint8_t inner[300];
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    uint8_t number[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, name[140];
    fill(name, sizeof name, i);
    unsigned n = put(inner, 2, number, 4);
    n += put(inner + n, 4, name, 20), n += put(inner + n, 2, number + 2, 2), n += put(inner + n, 12, name, 140);
    unsigned all = put(octets, 0x30, inner, n);
    all += put(octets + all, 0x31, octets, all / 2);
    sum += read_tlv(octets, octets + all, 0);
  }
  return sum | 1;
}

static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

uint32_t sections(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    for (unsigned p = 0; p < 2; p++) {
      uint8_t *s = octets + p * 188;
      fill(s, 188, i + p);
      s[0] = 0x47, s[1] &= 0x5F, s[3] = (uint8_t)(0x10 | (s[3] & 0x2F)), s[4] = 20, s[25] = 0x02;
    }
    for (unsigned p = 0; p < 2; p++) {
      const uint8_t *s = octets + p * 188, *end = s + 188;
      if (s[0] != 0x47 || s[1] & 0x80) continue;
      uint32_t pid = get16(s + 1) & 0x1FFF, scrambled = s[3] >> 6, counter = s[3] & 15;
      const uint8_t *at = s + 4;
      if (s[3] & 0x20) at += 1 + *at;
      if (!(s[3] & 0x10) || at >= end) continue;
      at++;
      uint32_t table = at[0], length = get16(at + 1) & 0xFFF, number = get16(at + 3);
      if (length > (uint32_t)(end - at)) length = (uint32_t)(end - at) - 8;
      const uint8_t *stop = at + length;
      for (at += 8; at + 5 <= stop;) {
        uint32_t type = at[0], stream = get16(at + 1) & 0x1FFF, info = get16(at + 3) & 0x1F;
        at += 5;
        for (const uint8_t *d = at; d + 2 <= at + info && d + 2 <= stop; d += 2 + d[1])
          if (d[0] == 9) sum += get16(d + 2);
          else sum ^= d[0];
        sum = sum * 3 + (type << 16 | stream), at += info;
      }
      sum += pid + scrambled * 8 + counter + table + number;
    }
  }
  return sum | 1;
}

static const char MARKUP[] =
    "<policy version='2'><event name='ecm'><call id='17'/><call id='0x20'/></event>"
    "<!-- limits --><limits ram='131072' stack='8192'>text &amp; more</limits></policy>";

uint32_t markup(uint32_t rounds) {
  enum { TEXT, OPEN, NAME, INSIDE, KEY, VALUE, COMMENT, ENTITY } state;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    state = TEXT;
    unsigned depth = 0, keys = 0, dashes = 0;
    uint32_t hash = 0;
    for (const char *c = MARKUP; *c; c++) switch (state) {
        case TEXT:
          if (*c == '<') state = OPEN;
          else if (*c == '&') state = ENTITY;
          else hash = hash * 17 + (uint8_t)*c;
          break;
        case ENTITY:
          if (*c == ';') state = TEXT, hash++;
          break;
        case OPEN:
          if (*c == '/') depth--, state = INSIDE;
          else if (*c == '!') state = COMMENT, dashes = 0;
          else depth++, hash ^= (uint8_t)*c, state = NAME;
          break;
        case NAME:
          if (*c == ' ') state = INSIDE;
          else if (*c == '>') state = TEXT;
          else hash = left(hash, 5) + (uint8_t)*c;
          break;
        case INSIDE:
          if (*c == '>') state = TEXT;
          else if (*c == '/') depth--;
          else if (*c != ' ') state = KEY, keys++;
          break;
        case KEY:
          if (*c == '\'') state = VALUE;
          break;
        case VALUE:
          if (*c == '\'') state = INSIDE;
          else hash = hash * 10 + (uint32_t)(*c - '0');
          break;
        case COMMENT:
          if (*c == '-') dashes++;
          else if (*c == '>' && dashes >= 2) state = TEXT;
          else dashes = 0;
          break;
      }
    sum += hash + keys * 100 + depth;
  }
  return sum | 1;
}
