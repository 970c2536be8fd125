/* steps FOLDER COUNT COMMAND...: the least that a runner of steps must do. Per step: an intent that is on disk before the
 * process exists, a process in a group of its own with two pipes, a log file, a record of the process, an outcome that is
 * on disk before the next step. No checks, no hashes, no plan, no terminal. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void must(int failed, const char *what) {
    if (failed) {
        perror(what);
        exit(1);
    }
}

static void record(int journal, int synced, const char *what, int step, int number) {
    /* As long as citadel's records are. */
    char line[700];
    int length = snprintf(line, sizeof line, "{\"step\":%d,\"what\":\"%s\",\"number\":%d,\"more\":\"%0*d\"}\n", step, what,
                          number, 400, 0);
    must(write(journal, line, length) != length, "write");
    if (synced) must(fdatasync(journal), "fdatasync");
}

static pid_t start(char **command, int out[2], int err[2]) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    must(pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC), "pipe2");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    pid_t pid;
    must(posix_spawnp(&pid, command[0], &actions, &attributes, command, environ) != 0, "posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(out[1]);
    close(err[1]);
    return pid;
}

static void copy(int out, int err, int log) {
    static char bytes[65536];
    struct pollfd ends[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    for (int open = 2; open > 0;) {
        must(poll(ends, 2, -1) < 0, "poll");
        for (int n = 0; n < 2; n++) {
            if (!ends[n].revents) continue;
            ssize_t got = read(ends[n].fd, bytes, sizeof bytes);
            if (got > 0) {
                must(write(log, bytes, got) != got, "write");
            } else {
                close(ends[n].fd);
                ends[n].fd = -1;
                open--;
            }
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    must(chdir(argv[1]), "chdir");
    int count = atoi(argv[2]);
    int journal = open("journal", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    must(journal < 0, "journal");
    for (int step = 0; step < count; step++) {
        char name[32];
        int out[2], err[2], status;
        record(journal, 1, "started", step, 0);
        snprintf(name, sizeof name, "%d.log", step);
        int log = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        must(log < 0, "log");
        pid_t pid = start(argv + 3, out, err);
        record(journal, 0, "spawned", step, pid);
        copy(out[0], err[0], log);
        must(waitpid(pid, &status, 0) != pid, "waitpid");
        close(log);
        record(journal, 1, "ended", step, status);
    }
    return 0;
}
