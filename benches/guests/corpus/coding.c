/* Checksums and codes. */
#include "corpus.h"

static uint8_t octets[768], coded[1100], back[768];
static uint32_t crc_table[256];

static uint32_t crc32_by_table(const uint8_t *at, size_t len) {
  uint32_t crc = ~0u;
  while (len--) crc = crc >> 8 ^ crc_table[(crc ^ *at++) & 255];
  return ~crc;
}

static uint32_t crc32_of_sections(const uint8_t *at, size_t len) {
  uint32_t crc = ~0u;
  while (len--) {
    crc ^= (uint32_t)*at++ << 24;
    for (int bit = 0; bit < 8; bit++) crc = crc << 1 ^ (crc & 0x80000000u ? 0x04C11DB7 : 0);
  }
  return crc;
}

static uint16_t crc16(const uint8_t *at, size_t len) {
  uint16_t crc = 0xFFFF;
  for (size_t i = 0; i < len; i++) {
    uint8_t x = (uint8_t)(crc >> 8 ^ at[i]);
    x ^= x >> 4;
    crc = (uint16_t)(crc << 8 ^ x << 12 ^ x << 5 ^ x);
  }
  return crc;
}

static uint32_t adler(const uint8_t *at, size_t len) {
  uint32_t a = 1, b = 0;
  for (size_t i = 0; i < len; i++) {
    a += at[i], b += a;
    if (a >= 65521) a -= 65521;
    if ((i & 255) == 255) b %= 65521;
  }
  return b % 65521 << 16 | a;
}

uint32_t checks(uint32_t rounds) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
    crc_table[i] = crc;
  }
  fill(octets, sizeof octets, 1);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    octets[i % 700] ^= (uint8_t)i;
    uint32_t parity = 0, ones = 0;
    for (unsigned j = 0; j < 64; j++) parity ^= octets[j], ones += octets[j] >> 7;
    sum = left(sum, 1) ^ crc32_by_table(octets, 700) ^ crc32_of_sections(octets, 60) ^ crc16(octets, 188) ^
          adler(octets, 300) ^ parity ^ ones;
  }
  return sum | 1;
}

static char sextet(uint32_t v) {
  return (char)(v < 26 ? 'A' + v : v < 52 ? 'a' + (v - 26) : v < 62 ? '0' + (v - 52) : v == 62 ? '-' : '_');
}

static int value_of(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

uint32_t base64(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    fill(octets, 120, i);
    uint32_t bits = 0, held = 0, n = 0, m = 0;
    for (unsigned j = 0; j < 120; j++) {
      bits = bits << 8 | octets[j], held += 8;
      while (held >= 6) held -= 6, coded[n++] = (uint8_t)sextet(bits >> held & 63);
    }
    bits = held = 0;
    for (unsigned j = 0; j < n; j++) {
      int v = value_of(coded[j]);
      if (v < 0) return 0;
      bits = bits << 6 | (uint32_t)v, held += 6;
      if (held >= 8) held -= 8, back[m++] = (uint8_t)(bits >> held);
    }
    for (unsigned j = 0; j < m; j++) {
      uint8_t c = back[j];
      coded[2 * j] = (uint8_t)"0123456789ABCDEF"[c >> 4], coded[2 * j + 1] = (uint8_t)"0123456789ABCDEF"[c & 15];
    }
    sum += sum_of(coded, m * 2);
  }
  return sum | 1;
}

uint32_t varints(uint32_t rounds) {
  uint32_t sum = 0, x = 1;
  for (uint32_t i = 0; i < rounds; i++) {
    uint8_t *to = coded;
    for (unsigned j = 0; j < 100; j++) {
      x = next_random(x);
      uint32_t v = x >> (x >> 27);
      for (; v >= 0x80; v >>= 7) *to++ = (uint8_t)(v | 0x80);
      *to++ = (uint8_t)v;
    }
    for (const uint8_t *at = coded; at < to;) {
      uint32_t v = 0;
      unsigned shift = 0;
      uint8_t c;
      do c = *at++, v |= (uint32_t)(c & 0x7F) << shift, shift += 7;
      while (c & 0x80 && shift < 35);
      int32_t zigzag = (int32_t)(v >> 1) ^ -(int32_t)(v & 1);
      sum += (uint32_t)zigzag;
    }
    unsigned n = 0;
    for (unsigned j = 0; j < 200;) {
      unsigned run = 1;
      octets[j] &= 1;
      while (j + run < 200 && run < 255 && (octets[j + run] & 1) == octets[j]) run++;
      coded[n++] = (uint8_t)run, coded[n++] = octets[j], j += run;
    }
    octets[i % 200]++;
    sum += n;
  }
  return sum | 1;
}

static unsigned packed(const uint8_t *from, unsigned len, uint8_t *to) {
  static uint16_t last[64];
  unsigned n = 0, literals = 0;
  for (unsigned i = 0; i < 64; i++) last[i] = 0xFFFF;
  for (unsigned i = 0; i < len;) {
    uint32_t hash = ((uint32_t)from[i] * 5 ^ (uint32_t)from[i + 1] * 3 ^ from[i + 2]) & 63;
    unsigned at = last[hash], match = 0;
    last[hash] = (uint16_t)i;
    if (at != 0xFFFF && i + 3 < len)
      while (i + match < len && match < 18 && from[at + match] == from[i + match]) match++;
    if (match >= 3) {
      unsigned back = i - at;
      to[n++] = (uint8_t)(0x80 | (match - 3) << 2 | back >> 8), to[n++] = (uint8_t)back;
      i += match, literals = 0;
    } else {
      if (!literals) to[n++] = 0, literals = n - 1;
      to[n++] = from[i++], to[literals]++;
      if (to[literals] == 127) literals = 0;
    }
  }
  return n;
}

static unsigned unpacked(const uint8_t *from, unsigned len, uint8_t *to, unsigned room) {
  unsigned n = 0;
  for (const uint8_t *end = from + len; from < end;) {
    unsigned head = *from++;
    if (head & 0x80) {
      unsigned match = (head >> 2 & 31) + 3, back = (head & 3) << 8 | *from++;
      if (back == 0 || back > n || n + match > room) return 0;
      const uint8_t *source = to + n - back;
      for (unsigned i = 0; i < match; i++) to[n + i] = source[i];
      n += match;
    } else {
      if (n + head > room) return 0;
      while (head--) to[n++] = *from++;
    }
  }
  return n;
}

uint32_t lempel_ziv(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    for (unsigned j = 0; j < 400; j++) octets[j] = (uint8_t)("the box and the key and the card "[(j * (i % 3 + 1) + j / 50) % 33]);
    unsigned n = packed(octets, 400, coded), m = 0;
    for (unsigned j = 0; j < 4; j++) m = unpacked(coded, n, back, sizeof back);
    if (m != 400) return 0;
    sum += sum_of(back, m) + n;
  }
  return sum | 1;
}

struct bits {
  const uint8_t *at;
  uint32_t held, count;
};

static uint32_t take(struct bits *b, unsigned n) {
  while (b->count < n) b->held |= (uint32_t)*b->at++ << b->count, b->count += 8;
  uint32_t v = b->held & ((1u << n) - 1);
  b->held >>= n, b->count -= n;
  return v;
}

uint32_t huffman(uint32_t rounds) {
  static uint16_t counts[16], symbols[64];
  static uint8_t lengths[64];
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    fill(coded, 200, i);
    for (unsigned j = 0; j < 64; j++) lengths[j] = j < 16 ? 5 : j < 32 ? 6 : 7;
    for (unsigned j = 0; j < 16; j++) counts[j] = 0;
    for (unsigned j = 0; j < 64; j++) counts[lengths[j]]++;
    uint16_t offsets[16] = {0};
    for (unsigned j = 1; j < 15; j++) offsets[j + 1] = (uint16_t)(offsets[j] + counts[j]);
    for (unsigned j = 0; j < 64; j++) symbols[offsets[lengths[j]]++] = (uint16_t)j;
    struct bits b = {coded, 0, 0};
    while (b.at < coded + 180) {
      int code = 0, first = 0, index = 0, symbol = -1;
      for (unsigned len = 1; len < 9; len++) {
        code |= (int)take(&b, 1);
        int count = counts[len];
        if (code - count < first) {
          symbol = symbols[index + (code - first)];
          break;
        }
        index += count, first = (first + count) << 1, code <<= 1;
      }
      sum = sum * 3 + (uint32_t)symbol;
      if (symbol > 40) sum += take(&b, (unsigned)symbol & 7);
    }
  }
  return sum | 1;
}
