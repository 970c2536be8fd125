/* journal FILE COUNT: that many records on stdout, sealed as citadel seals them: the first of FILE, a run's journal, then
 * its records about steps over and over. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t right(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void block(uint32_t state[8], const unsigned char *bytes) {
    uint32_t w[64], s[8];
    for (int n = 0; n < 16; n++)
        w[n] = (uint32_t)bytes[4 * n] << 24 | bytes[4 * n + 1] << 16 | bytes[4 * n + 2] << 8 | bytes[4 * n + 3];
    for (int n = 16; n < 64; n++) {
        uint32_t a = w[n - 15], b = w[n - 2];
        w[n] = w[n - 16] + w[n - 7] + (right(a, 7) ^ right(a, 18) ^ a >> 3) + (right(b, 17) ^ right(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int n = 0; n < 64; n++) {
        uint32_t e = s[4], a = s[0];
        uint32_t one = s[7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + ROUND[n] + w[n];
        uint32_t two = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int n = 0; n < 8; n++) state[n] += s[n];
}

/* `text` has room for what SHA-256 adds at the end. */
static void sha256(char *text, size_t length, char hex[65]) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    size_t whole = (length + 8) / 64 * 64 + 64;
    memset(text + length, 0, whole - length);
    text[length] = (char)0x80;
    for (int n = 0; n < 8; n++) text[whole - 1 - n] = (char)((uint64_t)length * 8 >> 8 * n);
    for (size_t at = 0; at < whole; at += 64) block(state, (unsigned char *)text + at);
    for (int n = 0; n < 8; n++) sprintf(hex + 8 * n, "%08x", state[n]);
}

static void must(int is, const char *what) {
    if (is) return;
    fprintf(stderr, "journal: %s\n", what);
    exit(1);
}

/* Of each line what follows `prev`, without the seal: the first one's, and those of steps. */
static size_t parts(FILE *file, char **found) {
    char *line = NULL;
    size_t room = 0, count = 0;
    while (count < 10000 && getline(&line, &room, file) > 0) {
        char *from = strstr(line, "\"time\""), *seal = strstr(line, ",\"hash\":\"");
        must(from && seal, "a line is no record");
        for (char *next = seal; (next = strstr(next + 1, ",\"hash\":\"")); seal = next) {}
        if (count > 0 && !strstr(line, "\"event\":{\"type\":\"step_")) continue;
        *seal = 0;
        found[count++] = strdup(from);
    }
    return count;
}

int main(int argc, char **argv) {
    must(argc == 3, "FILE COUNT");
    FILE *file = fopen(argv[1], "r");
    must(file != NULL, "the file cannot be read");
    static char *found[10000];
    size_t count = parts(file, found), longest = 0;
    must(count > 1, "no records of steps");
    for (size_t n = 0; n < count; n++) longest = strlen(found[n]) > longest ? strlen(found[n]) : longest;
    char *body = malloc(longest + 512), hash[65];
    must(body != NULL, "no memory");
    /* A time is never before the one of the record before. */
    char time[64] = {0};
    memcpy(time, found[0], strcspn(found[0], ","));
    memset(hash, '0', 64);
    hash[64] = 0;
    for (long n = 0, most = atol(argv[2]); n < most; n++) {
        char *part = n == 0 ? found[0] : found[1 + (size_t)(n - 1) % (count - 1)];
        int length = sprintf(body, "{\"v\":1,\"seq\":%ld,\"prev\":\"%s\",%s%s}", n + 1, hash, time, part + strcspn(part, ","));
        sha256(body, (size_t)length, hash);
        body[length - 1] = 0;
        printf("%s,\"hash\":\"%s\"}\n", body, hash);
    }
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
