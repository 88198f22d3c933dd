/* Reads records {operation, length, 8 octets of control word, payload} and writes the payloads
 * back after libdvbcsa has worked on them. A process of its own: nothing links that library. */
#include <dvbcsa/dvbcsa.h>
#include <stdio.h>

int main(void)
{
    unsigned char head[10], payload[256];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        if (fread(payload, 1, head[1], stdin) != head[1])
            return 1;
        dvbcsa_key_t *key = dvbcsa_key_alloc();
        dvbcsa_key_set(head + 2, key);
        if (head[0] == 'e')
            dvbcsa_encrypt(key, payload, head[1]);
        else
            dvbcsa_decrypt(key, payload, head[1]);
        dvbcsa_key_free(key);
        fwrite(payload, 1, head[1], stdout);
    }
    return 0;
}
