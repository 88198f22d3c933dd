/* libdvbcsa's batch API as a peer. Reads lines "WORK PACKETS ROUNDS", answers with the CPU time of
 * the thread in nanoseconds, or "?" for work it does not know. A process of its own: nothing of
 * the project links that library. */
#include <dvbcsa/dvbcsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

int main(void)
{
    char work[64];
    unsigned packets, rounds;
    unsigned size = dvbcsa_bs_batch_size();
    struct dvbcsa_bs_batch_s *batch = calloc(size + 1, sizeof *batch);
    struct dvbcsa_bs_key_s *key = dvbcsa_bs_key_alloc();
    const unsigned char cw[8] = {0x11, 0x22, 0x33, 0x66, 0x44, 0x55, 0x66, 0xff};
    dvbcsa_bs_key_set(cw, key);
    while (scanf("%63s %u %u", work, &packets, &rounds) == 3) {
        int scrambles = !strcmp(work, "csa2-scramble") || !strcmp(work, "csa2-mixed-keys");
        if (!scrambles && strcmp(work, "csa2-descramble")) {
            puts("?");
            fflush(stdout);
            continue;
        }
        unsigned char *data = malloc(packets * 188UL);
        for (unsigned long i = 0; i < packets * 188UL; i++)
            data[i] = (unsigned char)(i * 2654435761UL >> 13);
        unsigned long long begun = now();
        for (unsigned round = 0; round < rounds; round++)
            for (unsigned first = 0; first < packets; first += size) {
                unsigned n = packets - first < size ? packets - first : size;
                for (unsigned i = 0; i < n; i++) {
                    batch[i].data = data + (first + i) * 188UL + 4;
                    batch[i].len = 184;
                }
                batch[n].data = NULL;
                if (scrambles)
                    dvbcsa_bs_encrypt(key, batch, 184);
                else
                    dvbcsa_bs_decrypt(key, batch, 184);
            }
        printf("%llu\n", now() - begun);
        fflush(stdout);
        free(data);
    }
    return 0;
}
