/* write MIB: that much output in lines of 80 characters, as fast as a pipe takes it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 80 * 1638 };

int main(int argc, char **argv) {
    static char bytes[PIECE];
    long long left = (argc > 1 ? atoll(argv[1]) : 1) << 20;
    memset(bytes, 'x', sizeof bytes);
    for (int end = 79; end < PIECE; end += 80) bytes[end] = '\n';
    while (left > 0) {
        ssize_t written = write(1, bytes, left < PIECE ? (size_t)left : PIECE);
        if (written <= 0) return 1;
        left -= written;
    }
    return 0;
}
