/* The bare client: each file's bytes as one POST, one after the other on one connection. Usage: client PORT FILE... */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char out[1 << 20], in[1 << 24];

static void fail(const char *what) { perror(what); exit(1); }

static size_t body_length(const char *head) {
    const char *at = strcasestr(head, "content-length:");
    if (!at) { fputs("no content-length\n", stderr); exit(1); }
    return strtoul(at + 15, NULL, 10);
}

static void post(int to, const char *path) {
    static char body[1 << 19];
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    size_t length = fread(body, 1, sizeof body, file);
    fclose(file);
    int head = sprintf(out, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", length);
    memcpy(out + head, body, length);
    if (write(to, out, head + length) != (ssize_t)(head + length)) fail("write");
    size_t have = 0;
    for (;;) {
        ssize_t got = read(to, in + have, sizeof in - 1 - have);
        if (got <= 0) fail("read");
        in[have += got] = 0;
        char *end = strstr(in, "\r\n\r\n");
        if (end && have >= (size_t)(end + 4 - in) + body_length(in)) return;
    }
}

int main(int count, char **args) {
    int to = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(args[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(to, (struct sockaddr *)&at, sizeof at)) fail("connect");
    for (int i = 2; i < count; i++) post(to, args[i]);
    return 0;
}
