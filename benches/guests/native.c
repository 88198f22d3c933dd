/* The work as a program of its own: reads "WHAT ROUNDS", answers nanoseconds of its CPU time and
   the sum. The host's side of a call is a function behind a pointer that the compiler cannot see
   through. */
#include <stdio.h>
#include <time.h>

#include "work.c"

static uint32_t answer(uint32_t kind) { return kind ^ 77; }
static uint32_t (*volatile host)(uint32_t) = answer;
static uint32_t (*volatile guest)(uint32_t, uint32_t) = work;

uint32_t token_info(uint32_t kind) { return host(kind); }

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
  unsigned what, rounds;
  setvbuf(stdout, 0, _IOLBF, 0);
  while (scanf("%u %u", &what, &rounds) == 2) {
    long long begun = now();
    uint32_t sum = 0;
    if (what == WORK_EVENT)
      for (unsigned i = 0; i < rounds; i++) sum = guest(what, i);
    else
      sum = guest(what, rounds);
    printf("%lld %u\n", now() - begun, (unsigned)sum);
  }
}
