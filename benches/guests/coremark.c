/* Work in the manner of CoreMark: a linked list that is searched, sorted and turned round, small
   matrices, a machine that reads numbers, and a CRC over all results. The amounts of data are
   CoreMark's (2,000 octets in three parts); the code is ours, so figures are not CoreMark's. */
#include "guest.h"

typedef struct item {
  struct item *next;
  int16_t value;
  uint16_t place;
} item;

#define ITEMS 66
#define SIDE 9
#define TEXT 666

static item items[ITEMS];
static int16_t a[SIDE * SIDE], b[SIDE * SIDE];
static int32_t product[SIDE * SIDE];
static uint8_t text[TEXT];

static uint16_t crc_octet(uint16_t crc, uint8_t octet) {
  for (unsigned i = 0; i < 8; i++) {
    unsigned odd = (crc ^ octet) & 1;
    octet >>= 1;
    crc >>= 1;
    if (odd) crc ^= 0xA001;
  }
  return crc;
}

static uint16_t crc_word(uint16_t crc, uint32_t word) {
  for (unsigned i = 0; i < 32; i += 8) crc = crc_octet(crc, (uint8_t)(word >> i));
  return crc;
}

/* Lists. */

static item *turned(item *list) {
  item *done = 0;
  while (list) {
    item *next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}

static int by_value(const item *x, const item *y) { return x->value - y->value; }
static int by_place(const item *x, const item *y) { return (int)x->place - (int)y->place; }

/* Merge sort from the bottom up: runs of 1, 2, 4 ... items. */
static item *sorted(item *list, int (*order)(const item *, const item *)) {
  for (unsigned run = 1;; run *= 2) {
    item *rest = list, *first = 0, **last = &first;
    unsigned merges = 0;
    while (rest) {
      item *left = rest, *right = rest;
      unsigned lefts = 0, rights = run;
      while (lefts < run && right) right = right->next, lefts++;
      while (lefts || (rights && right)) {
        item **from = !lefts ? &right : !rights || !right || order(left, right) <= 0 ? &left : &right;
        if (from == &left) lefts--;
        else rights--;
        *last = *from;
        last = &(*from)->next;
        *from = (*from)->next;
      }
      rest = right;
      merges++;
    }
    *last = 0;
    list = first;
    if (merges <= 1) return list;
  }
}

static uint16_t lists(uint16_t crc, uint32_t round) {
  for (unsigned i = 0; i < ITEMS; i++) {
    items[i].next = i + 1 < ITEMS ? &items[i + 1] : 0;
    items[i].place = (uint16_t)i;
    items[i].value = (int16_t)((i * 0x4D1 + round * 0x35) & 0x7FF);
  }
  item *list = items;
  unsigned found = 0, missed = 0;
  for (unsigned i = 0; i < 24; i++) {
    int16_t wanted = (int16_t)((i * 0x9A2 + round * 0x35) & 0x7FF);
    item *at = list;
    while (at && at->value != wanted) at = at->next;
    if (at) found += at->place;
    else missed++;
    list = turned(list);
  }
  list = sorted(list, by_value);
  for (item *at = list; at; at = at->next) crc = crc_octet(crc, (uint8_t)at->value);
  list = sorted(list, by_place);
  return crc_word(crc, found << 16 | missed << 8 | list->place);
}

/* Matrices. */

static int32_t tamed(int32_t limit) {
  int32_t sum = 0, before = 0, part = 0;
  for (unsigned i = 0; i < SIDE * SIDE; i++) {
    part += product[i];
    if (part > limit) {
      sum += 10;
      part = 0;
    } else {
      sum += product[i] > before;
    }
    before = product[i];
  }
  return sum;
}

static uint16_t matrices(uint16_t crc, uint32_t round) {
  int16_t factor = (int16_t)(round * 3 + 5);
  for (unsigned i = 0; i < SIDE * SIDE; i++) {
    a[i] = (int16_t)((i * i + round) & 0xFF);
    b[i] = (int16_t)((i * 31 + round * 7) & 0xFFF);
  }
  for (unsigned i = 0; i < SIDE * SIDE; i++) product[i] = a[i] * factor;
  crc = crc_word(crc, (uint32_t)tamed(0x2000));
  for (unsigned row = 0; row < SIDE; row++) {
    product[row] = 0;
    for (unsigned k = 0; k < SIDE; k++) product[row] += a[row * SIDE + k] * b[k];
  }
  crc = crc_word(crc, (uint32_t)tamed(0x20000));
  for (unsigned row = 0; row < SIDE; row++)
    for (unsigned column = 0; column < SIDE; column++) {
      int32_t cell = 0;
      for (unsigned k = 0; k < SIDE; k++) cell += a[row * SIDE + k] * b[k * SIDE + column];
      product[row * SIDE + column] = cell;
    }
  crc = crc_word(crc, (uint32_t)tamed(0x80000));
  for (unsigned row = 0; row < SIDE; row++)
    for (unsigned column = 0; column < SIDE; column++) {
      int32_t cell = 0;
      for (unsigned k = 0; k < SIDE; k++) {
        int32_t part = a[row * SIDE + k] * b[k * SIDE + column];
        cell += ((part >> 2) & 15) * ((part >> 5) & 127);
      }
      product[row * SIDE + column] = cell;
    }
  return crc_word(crc, (uint32_t)tamed(0x8000));
}

/* A reader of numbers. */

enum { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, POWER_SIGN, POWER, INVALID, STATES };

static unsigned step(unsigned state, uint8_t octet) {
  int digit = octet >= '0' && octet <= '9';
  switch (state) {
    case START:
      if (digit) return INTEGER;
      if (octet == '+' || octet == '-') return SIGN;
      return octet == '.' ? POINT : INVALID;
    case SIGN:
      if (digit) return INTEGER;
      return octet == '.' ? POINT : INVALID;
    case INTEGER:
      if (digit) return INTEGER;
      if (octet == 'e' || octet == 'E') return EXPONENT;
      return octet == '.' ? FRACTION : INVALID;
    case POINT: return digit ? FRACTION : INVALID;
    case FRACTION:
      if (digit) return FRACTION;
      return octet == 'e' || octet == 'E' ? EXPONENT : INVALID;
    case EXPONENT:
      if (digit) return POWER;
      return octet == '+' || octet == '-' ? POWER_SIGN : INVALID;
    case POWER_SIGN: return digit ? POWER : INVALID;
    case POWER: return digit ? POWER : INVALID;
    default: return INVALID;
  }
}

static uint16_t numbers(uint16_t crc, uint32_t round) {
  static const char *const WORDS[8] = {"5012,", "1.75e-3,", "-17,", "T0.3e-1F,",
                                       "2.7182818,", "-110.700,", "+64e+9,", "9.9.9,"};
  uint32_t x = round, ends[STATES] = {0}, steps[STATES] = {0};
  unsigned at = 0;
  while (at < TEXT) {
    x = next_random(x);
    for (const char *word = WORDS[x >> 29]; *word && at < TEXT; word++) text[at++] = (uint8_t)*word;
  }
  for (unsigned pass = 0; pass < 2; pass++) {
    unsigned state = START;
    for (unsigned i = 0; i < TEXT; i++) {
      if (text[i] == ',') {
        ends[state]++;
        state = START;
      } else {
        state = step(state, text[i]);
        steps[state]++;
      }
    }
    for (unsigned i = 0; i < TEXT; i += 7) text[i] ^= (uint8_t)(round & 7);
  }
  for (unsigned i = 0; i < STATES; i++) crc = crc_word(crc, ends[i] << 16 | steps[i]);
  return crc;
}

uint32_t coremark(uint32_t rounds) {
  uint16_t crc = 0;
  for (uint32_t round = 0; round < rounds; round++) {
    crc = lists(crc, round);
    crc = matrices(crc, round);
    crc = numbers(crc, round);
  }
  return crc;
}
