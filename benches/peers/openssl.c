/* OpenSSL's EVP under one key, as a peer: transport packets one by one, or samples of Common
 * Encryption. Reads lines "WORK COUNT ROUNDS", answers with the CPU time of the thread in
 * nanoseconds, or "?" for work it does not know. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLE 65536UL
#define PERIOD 160 /* octets of a pattern of 1:9 blocks */

static const unsigned char key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const unsigned char cissa_iv[] = "DVBTMCPTAESCISSA";
static const unsigned char sample_iv[16] = "portcull";

static unsigned long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void packet(EVP_CIPHER_CTX *context, unsigned char *payload, int encrypts)
{
    int done;
    EVP_CipherInit_ex(context, NULL, NULL, NULL, cissa_iv, encrypts);
    EVP_CipherUpdate(context, payload, &done, payload, 176);
}

static void whole_sample(EVP_CIPHER_CTX *context, unsigned char *sample)
{
    int done;
    EVP_CipherInit_ex(context, NULL, NULL, NULL, sample_iv, 1);
    EVP_CipherUpdate(context, sample, &done, sample, SAMPLE);
}

/* The encrypted blocks are put side by side: one call costs less than one for each. */
static void pattern_sample(EVP_CIPHER_CTX *context, unsigned char *sample)
{
    static unsigned char blocks[SAMPLE / PERIOD * 16 + 16];
    unsigned long at, length = 0;
    int done;
    for (at = 0; at + 16 <= SAMPLE; at += PERIOD, length += 16)
        memcpy(blocks + length, sample + at, 16);
    EVP_CipherInit_ex(context, NULL, NULL, NULL, sample_iv, 1);
    EVP_CipherUpdate(context, blocks, &done, blocks, length);
    for (at = 0, length = 0; at + 16 <= SAMPLE; at += PERIOD, length += 16)
        memcpy(sample + at, blocks + length, 16);
}

int main(void)
{
    char work[64];
    unsigned count, rounds;
    while (scanf("%63s %u %u", work, &count, &rounds) == 3) {
        int encrypts = !strcmp(work, "cissa-encrypt");
        int packets = encrypts || !strcmp(work, "cissa-decrypt");
        int counter = !strcmp(work, "cenc-ctr");
        if (!packets && !counter && strcmp(work, "cbcs")) {
            puts("?");
            fflush(stdout);
            continue;
        }
        unsigned long stride = packets ? 188 : SAMPLE;
        unsigned char *data = malloc(count * stride);
        for (unsigned long i = 0; i < count * stride; i++)
            data[i] = (unsigned char)(i * 2654435761UL >> 13);
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        EVP_CipherInit_ex(context, counter ? EVP_aes_128_ctr() : EVP_aes_128_cbc(), NULL, key,
                          cissa_iv, packets ? encrypts : 1);
        EVP_CIPHER_CTX_set_padding(context, 0);
        unsigned long long begun = now();
        for (unsigned round = 0; round < rounds; round++)
            for (unsigned i = 0; i < count; i++) {
                unsigned char *at = data + i * stride;
                if (packets)
                    packet(context, at + 4, encrypts);
                else if (counter)
                    whole_sample(context, at);
                else
                    pattern_sample(context, at);
            }
        printf("%llu\n", now() - begun);
        fflush(stdout);
        EVP_CIPHER_CTX_free(context);
        free(data);
    }
    return 0;
}
