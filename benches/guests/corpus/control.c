/* Copies and comparisons, machines, states, recursion, division, bits. */
#include "corpus.h"

static uint8_t from[600], to[600];

uint32_t copies(uint32_t rounds) {
  fill(from, sizeof from, 1);
  uint32_t sum = 0;
  for (uint32_t n = 0; n < rounds; n++) {
    unsigned len = 100 + n % 90, shift = n & 3;
    __builtin_memcpy(to + shift, from + 1, len);
    __builtin_memset(to + len, (int)n, 64 + shift);
    __builtin_memmove(to + 3, to, len);
    const uint32_t *a = (const uint32_t *)(const void *)(from + 8);
    uint32_t *b = (uint32_t *)(void *)(to + 300);
    for (unsigned i = 0; i < 40; i++) b[i] = a[i];
    for (unsigned i = 0; i < 40; i += 4) b[i] ^= a[i + 3], b[i + 1] ^= a[i + 2], b[i + 2] += a[i + 1], b[i + 3] += a[i];
    for (unsigned i = 0; i < 100; i++) to[i] ^= from[i + shift];
    const uint16_t *h = (const uint16_t *)(const void *)from;
    for (unsigned i = 0; i < 60; i++) sum += (uint32_t)h[i] * 3;
    sum += to[5] + to[len] + b[7];
  }
  return sum | 1;
}

uint32_t compares(uint32_t rounds) {
  fill(from, sizeof from, 2), fill(to, sizeof to, 2);
  uint32_t sum = 0;
  for (uint32_t n = 0; n < rounds; n++) {
    to[n % 200] ^= 1;
    sum += (uint32_t)__builtin_memcmp(from, to, 200) & 3;
    uint8_t differs = 0;
    for (unsigned i = 0; i < 32; i++) differs |= from[i] ^ to[i];
    sum += differs == 0;
    unsigned same = 0;
    while (same < 300 && from[same] == to[same]) same++;
    uint32_t mask = (uint32_t)((int32_t)((uint32_t)differs - 1) >> 31);
    for (unsigned i = 0; i < 16; i++) to[400 + i] = (uint8_t)((to[i] & mask) | (from[i] & ~mask));
    uint8_t *zero = from;
    while (*zero && zero < from + 500) zero++;
    sum = sum * 3 + same + to[401] + (uint32_t)(zero - from);
    to[n % 200] ^= 1;
  }
  return sum | 1;
}

enum { PUSH, ADD, SUB, MUL, DUP, SWAP, LESS, BRANCH, LOAD, STORE, DROP, HALT };

uint32_t machine(uint32_t rounds) {
  static const uint8_t CODE[] = {PUSH, 0, STORE, 0, PUSH, 30, STORE, 1, LOAD, 0, LOAD, 1, DUP, MUL, ADD, STORE, 0, LOAD, 1,
                                 PUSH, 1, SUB, DUP, STORE, 1, PUSH, 0, SWAP, LESS, BRANCH, 8, LOAD, 0, HALT};
  uint32_t sum = 0;
  for (uint32_t n = 0; n < rounds; n++) {
    int32_t stack[16], variables[4] = {0}, *sp = stack;
    const uint8_t *pc = CODE;
    for (int running = 1; running;) switch (*pc++) {
        case PUSH: *sp++ = *pc++; break;
        case ADD: sp--, sp[-1] += sp[0]; break;
        case SUB: sp--, sp[-1] -= sp[0]; break;
        case MUL: sp--, sp[-1] *= sp[0]; break;
        case DUP: sp[0] = sp[-1], sp++; break;
        case SWAP: {
          int32_t held = sp[-1];
          sp[-1] = sp[-2], sp[-2] = held;
          break;
        }
        case LESS: sp--, sp[-1] = sp[-1] < sp[0]; break;
        case BRANCH: pc = *--sp ? CODE + *pc : pc + 1; break;
        case LOAD: *sp++ = variables[*pc++]; break;
        case STORE: variables[*pc++] = *--sp; break;
        case DROP: sp--; break;
        default: running = 0;
      }
    sum = sum * 3 + (uint32_t)sp[-1];
  }
  return sum | 1;
}

struct session {
  uint8_t state, retries;
  uint16_t count;
  uint32_t due, seen;
};

static uint32_t on_connect(struct session *s, uint32_t now) { return s->state = 1, s->due = now + 30, 1u; }
static uint32_t on_data(struct session *s, uint32_t now) { return s->count++, s->seen = now, s->due = now + 10, s->state == 1 ? 2u : 5u; }
static uint32_t on_timeout(struct session *s, uint32_t now) {
  if (++s->retries > 3) return s->state = 0, s->retries = 0, 7u;
  return s->due = now + (5u << s->retries), 3u;
}
static uint32_t on_close(struct session *s, uint32_t now) { return (void)now, s->state = 0, s->count; }

uint32_t states(uint32_t rounds) {
  static uint32_t (*const HANDLERS[4])(struct session *, uint32_t) = {on_connect, on_data, on_timeout, on_close};
  static struct session sessions[8];
  uint32_t sum = 0, x = 3, now = 0;
  for (uint32_t n = 0; n < rounds * 20; n++) {
    x = next_random(x), now += x >> 30;
    struct session *s = &sessions[x >> 16 & 7];
    unsigned event = x >> 20 & 3;
    if (s->state == 0 && event != 0) event = 0;
    else if (s->state && now > s->due) event = 2;
    sum += HANDLERS[event](s, now);
    switch (s->count % 7) {
      case 0: sum += 3; break;
      case 1: sum ^= 0x55; break;
      case 2: sum = left(sum, 3); break;
      case 3: sum -= now; break;
      case 4: sum += s->retries; break;
      case 5: sum *= 3; break;
      default: sum = ~sum;
    }
  }
  return sum | 1;
}

static uint32_t fibonacci(uint32_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
static uint32_t ackermann(uint32_t m, uint32_t n) {
  return !m ? n + 1 : !n ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
static uint32_t hanoi(unsigned n, unsigned a, unsigned b, unsigned c) {
  return n ? hanoi(n - 1, a, c, b) * 3 + (a << 2 | c) + hanoi(n - 1, b, a, c) : 1;
}

uint32_t recursion(uint32_t rounds) {
  uint32_t sum = 0;
  for (uint32_t n = 0; n < rounds; n++) sum += fibonacci(11 + n % 3) + ackermann(2, 5) + hanoi(5, 0, 1, 2);
  return sum | 1;
}

static unsigned placed(unsigned row, uint32_t columns, uint32_t rising, uint32_t falling) {
  if (row == 6) return 1;
  unsigned count = 0;
  for (uint32_t free = 0x3F & ~(columns | rising | falling); free;) {
    uint32_t bit = free & (0 - free);
    free ^= bit;
    count += placed(row + 1, columns | bit, (rising | bit) << 1, (falling | bit) >> 1);
  }
  return count;
}

uint32_t queens(uint32_t rounds) {
  static uint8_t sieve[300], life[2][18][18];
  uint32_t sum = 0;
  for (uint32_t n = 0; n < rounds; n++) {
    sum = sum * 3 + placed(0, 0, 0, 0);
    for (unsigned i = 2; i < 300; i++) sieve[i] = 1;
    for (unsigned i = 2; i * i < 300; i++)
      if (sieve[i])
        for (unsigned j = i * i; j < 300; j += i) sieve[j] = 0;
    for (unsigned i = 2; i < 300; i++) sum += sieve[i];
    uint8_t(*now)[18] = life[n & 1], (*next)[18] = life[~n & 1];
    if (n == 0) fill(now, 18 * 18, 4);
    for (unsigned y = 1; y < 17; y++)
      for (unsigned x = 1; x < 17; x++) {
        unsigned around = 0;
        for (int dy = -1; dy <= 1; dy++)
          for (int dx = -1; dx <= 1; dx++) around += (now[(int)y + dy][(int)x + dx] & 1u);
        around -= now[y][x] & 1;
        next[y][x] = around == 3 || (around == 2 && now[y][x] & 1);
      }
    sum += next[5][5];
  }
  return sum | 1;
}

static uint32_t divisor(uint32_t a, uint32_t b) {
  while (b) {
    uint32_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

uint32_t divisions(uint32_t rounds) {
  uint32_t sum = 0, x = 12345;
  for (uint32_t n = 0; n < rounds; n++) {
    x = next_random(x);
    sum += divisor(x, 360360) + divisor(n + 1, 97);
    uint32_t days = x >> 14, year = 1970;
    for (;;) {
      uint32_t length = year % 4 == 0 && (year % 100 || year % 400 == 0) ? 366 : 365;
      if (days < length) break;
      days -= length, year++;
    }
    sum += year * 31 + days / 30 + (x >> 8) / 86400 + (x >> 8) % 86400 / 3600;
    uint32_t power = 1, base = 3;
    for (uint32_t e = n & 255; e; e >>= 1, base = base * base % 40961)
      if (e & 1) power = power * base % 40961;
    sum += power + (uint32_t)((int32_t)x / 10007) + (uint32_t)((int32_t)x % 1000003);
    for (uint32_t c = (n & 63) + 1; c != 1; sum++) c = c & 1 ? 3 * c + 1 : c / 2;
  }
  return sum | 1;
}

uint32_t bits(uint32_t rounds) {
  static uint32_t set[8];
  uint32_t sum = 0, x = 77;
  for (uint32_t n = 0; n < rounds; n++) {
    x = next_random(x);
    uint32_t v = x;
    v -= v >> 1 & 0x55555555;
    v = (v & 0x33333333) + (v >> 2 & 0x33333333);
    sum += ((v + (v >> 4)) & 0x0F0F0F0F) * 0x01010101 >> 24;
    v = x, v |= v >> 1, v |= v >> 2, v |= v >> 4, v |= v >> 8, v |= v >> 16, sum += v + 1;
    v = x, v = (v >> 1 & 0x55555555) | (v & 0x55555555) << 1;
    v = (v >> 2 & 0x33333333) | (v & 0x33333333) << 2, v = (v >> 4 & 0x0F0F0F0F) | (v & 0x0F0F0F0F) << 4;
    v = (v >> 8 & 0x00FF00FF) | (v & 0x00FF00FF) << 8, sum ^= v >> 16 | v << 16;
    for (unsigned i = 0; i < 20; i++) {
      unsigned bit = (x = next_random(x)) >> 24;
      if (set[bit >> 5] >> (bit & 31) & 1) set[bit / 32] &= ~(1u << bit % 32);
      else set[bit / 32] |= 1u << bit % 32;
    }
    unsigned zeros = 0;
    for (uint32_t w = set[n & 7]; w && !(w & 1); w >>= 1) zeros++;
    uint64_t wide = (uint64_t)x << 32 | sum;
    wide ^= wide << 13, wide ^= wide >> 7, wide ^= wide << 17;
    sum += zeros + (uint32_t)(wide >> (n & 31)) + (x > sum ? x - sum : sum - x);
  }
  return sum | 1;
}
