/* Strings: comparing, searching, splitting, printing and reading numbers. */
#include <stdarg.h>

#include "corpus.h"

static const char TEXT[] =
    "It was a bright cold day in some month, and 13 clocks were striking; the 42 boxes waited. "
    "channel=news;rating=12;price=0;name=The Evening News;start=20:15;end=21:00;lang=de;";
static char buffer[512];

static size_t length(const char *s) {
  const char *at = s;
  while (*at) at++;
  return (size_t)(at - s);
}

static int compared(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (uint8_t)*a - (uint8_t)*b;
}

static const char *found(const char *in, const char *what) {
  for (; *in; in++) {
    size_t i = 0;
    while (what[i] && in[i] == what[i]) i++;
    if (!what[i]) return in;
  }
  return 0;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static int alike(const char *a, const char *b) {
  for (; lower(*a) == lower(*b); a++, b++)
    if (!*a) return 1;
  return 0;
}

static char *copied(char *to, const char *from) {
  while ((*to = *from++)) to++;
  return to;
}

uint32_t strings(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    char *end = copied(buffer, TEXT + i % 7);
    end = copied(end, "rating");
    sum += (uint32_t)length(buffer) + (uint32_t)(end - buffer);
    sum += (uint32_t)compared(buffer, TEXT) * 3;
    const char *at = found(buffer, "lang=");
    sum += at ? (uint32_t)(at - buffer) : 0;
    sum += (uint32_t)alike("RATING", end - 6);
    for (char *a = buffer, *b = end - 1; a < b; a++, b--) {
      char held = *a;
      *a = *b, *b = held;
    }
    for (const char *c = buffer; *c; c++) sum = left(sum, 3) ^ (uint8_t)*c;
  }
  return sum | 1;
}

static int is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static int is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

static int matches(const char *pattern, const char *text) {
  for (; *pattern; pattern++, text++) {
    if (*pattern == '*') {
      while (*text)
        if (matches(pattern + 1, text++)) return 1;
      return matches(pattern + 1, text);
    }
    if (*pattern != '?' && *pattern != *text) return 0;
  }
  return !*text;
}

uint32_t words(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    unsigned count = 0, longest = 0, in = 0, digits = 0;
    for (const char *c = TEXT; *c; c++) {
      if (is_letter(*c)) in++;
      else {
        if (in > longest) longest = in;
        count += in != 0, in = 0;
        if (*c >= '0' && *c <= '9') digits++;
      }
    }
    const char *at = TEXT;
    while (*at) {
      while (is_space(*at)) at++;
      const char *begin = at;
      while (*at && !is_space(*at) && *at != ';' && *at != '=') at++;
      uint32_t hash = 5381;
      for (const char *c = begin; c < at; c++) hash = hash * 33 ^ (uint8_t)*c;
      sum += hash;
      if (*at) at++;
    }
    uint32_t point = 0;
    for (const uint8_t *u = (const uint8_t *)"gr\xc3\xbc\xc3\x9f \xe2\x82\xac Gott \xf0\x9f\x98\x80"; *u;) {
      unsigned more = *u < 0x80 ? 0 : *u < 0xE0 ? 1 : *u < 0xF0 ? 2 : 3;
      point = *u++ & (more ? 0x3F >> more : 0x7F);
      while (more--) point = point << 6 | (*u++ & 0x3F);
      sum = sum * 7 + point;
    }
    sum += count + longest * 3 + digits + (uint32_t)matches("*channel=????;*;lang=*", TEXT);
  }
  return sum | 1;
}

static char *decimal(char *to, uint32_t value, unsigned width, char pad) {
  char digits[10];
  unsigned n = 0;
  do digits[n++] = (char)('0' + value % 10);
  while (value /= 10);
  while (width > n) *to++ = pad, width--;
  while (n) *to++ = digits[--n];
  return to;
}

static char *hexadecimal(char *to, uint32_t value, unsigned width) {
  for (int shift = (int)width * 4 - 4; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[value >> shift & 15];
  return to;
}

static unsigned print(char *to, const char *format, ...) {
  char *begin = to;
  va_list arguments;
  va_start(arguments, format);
  for (; *format; format++) {
    if (*format != '%') {
      *to++ = *format;
      continue;
    }
    char pad = ' ';
    unsigned width = 0;
    if (*++format == '0') pad = '0', format++;
    while (*format >= '0' && *format <= '9') width = width * 10 + (unsigned)(*format++ - '0');
    switch (*format) {
      case 'd': {
        int value = va_arg(arguments, int);
        if (value < 0) *to++ = '-', value = -value;
        to = decimal(to, (uint32_t)value, width, pad);
        break;
      }
      case 'u': to = decimal(to, va_arg(arguments, uint32_t), width, pad); break;
      case 'x': to = hexadecimal(to, va_arg(arguments, uint32_t), width ? width : 8); break;
      case 'c': *to++ = (char)va_arg(arguments, int); break;
      case 's': to = copied(to, va_arg(arguments, const char *)); break;
      default: *to++ = '%';
    }
  }
  va_end(arguments);
  *to = 0;
  return (unsigned)(to - begin);
}

uint32_t formats(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    unsigned n = print(buffer, "%s: %u of %05d, key %08x, %c%%", "stream", i * 977, -(int)i, i * 77777, 'a' + (int)(i % 26));
    n += print(buffer + n, "%02u:%02u:%02u.%03u", i % 24, i % 60, i * 7 % 60, i % 1000);
    sum += sum_of(buffer, n);
  }
  return sum | 1;
}

static int32_t number(const char **at) {
  int32_t value = 0, sign = 1;
  while (is_space(**at)) ++*at;
  if (**at == '-') sign = -1, ++*at;
  if ((*at)[0] == '0' && (*at)[1] == 'x') {
    for (*at += 2;; ++*at) {
      char c = lower(**at);
      if (c >= '0' && c <= '9') value = value * 16 + (c - '0');
      else if (c >= 'a' && c <= 'f') value = value * 16 + (c - 'a' + 10);
      else break;
    }
  } else {
    while (**at >= '0' && **at <= '9') value = value * 10 + (*(*at)++ - '0');
  }
  return value * sign;
}

uint32_t number_text(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    const char *at = "12 -345 0x7fAb12 9876543 0 65535 -1 0xC0ffee 20261121 3600";
    while (*at) sum = left(sum, 1) + (uint32_t)number(&at);
    at = "192.168.31.254";
    uint32_t address = 0;
    for (unsigned part = 0; part < 4; part++) {
      address = address << 8 | (uint32_t)number(&at);
      if (*at == '.') at++;
    }
    sum ^= address + i;
  }
  return sum | 1;
}
