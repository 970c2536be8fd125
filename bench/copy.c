/* copy LOG COMMAND...: the least that a runner must do with output: reads the pipe of a command and writes a log and the
 * screen. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, ROOM = 1024 * 1024 };

static void whole(int fd, const char *bytes, ssize_t length) {
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written <= 0) exit(1);
        bytes += written;
        length -= written;
    }
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int ends[2], status;
    int log = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log < 0 || pipe2(ends, O_CLOEXEC)) return 1;
    fcntl(ends[0], F_SETPIPE_SZ, ROOM);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    close(ends[1]);
    static char bytes[PIECE];
    ssize_t got;
    while ((got = read(ends[0], bytes, sizeof bytes)) > 0) {
        whole(log, bytes, got);
        whole(1, bytes, got);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}
