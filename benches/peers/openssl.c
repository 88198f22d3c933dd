/* OpenSSL's EVP, packet by packet under one key, as a peer. Reads lines "WORK PACKETS ROUNDS",
 * answers with the CPU time of the thread in nanoseconds, or "?" for work it does not know. */
#include <openssl/evp.h>
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
    const unsigned char key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const unsigned char iv[] = "DVBTMCPTAESCISSA";
    while (scanf("%63s %u %u", work, &packets, &rounds) == 3) {
        int encrypts = !strcmp(work, "cissa-encrypt");
        if (!encrypts && strcmp(work, "cissa-decrypt")) {
            puts("?");
            fflush(stdout);
            continue;
        }
        unsigned char *data = malloc(packets * 188UL);
        for (unsigned long i = 0; i < packets * 188UL; i++)
            data[i] = (unsigned char)(i * 2654435761UL >> 13);
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        EVP_CipherInit_ex(context, EVP_aes_128_cbc(), NULL, key, iv, encrypts);
        EVP_CIPHER_CTX_set_padding(context, 0);
        unsigned long long begun = now();
        for (unsigned round = 0; round < rounds; round++)
            for (unsigned i = 0; i < packets; i++) {
                unsigned char *payload = data + i * 188UL + 4;
                int done;
                EVP_CipherInit_ex(context, NULL, NULL, NULL, iv, encrypts);
                EVP_CipherUpdate(context, payload, &done, payload, 176);
            }
        printf("%llu\n", now() - begun);
        fflush(stdout);
        EVP_CIPHER_CTX_free(context);
        free(data);
    }
    return 0;
}
