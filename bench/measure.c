/* measure [-t] [-n TIMES] COMMAND...: runs a command and prints `wall-ms user-ms system-ms peak-KiB exit-code`.
 * -n: that many times one after the other; times are per run, the peak is the largest of them.
 * -t: gives it a pseudo-terminal and throws away what it shows there; otherwise stdout and stderr go to /dev/null. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static double ms(struct timeval time) { return time.tv_sec * 1e3 + time.tv_usec / 1e3; }

static int terminal(char *name, size_t size) {
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, name, size)) {
        perror("measure: no pseudo-terminal");
        exit(125);
    }
    struct winsize window = {.ws_row = 40, .ws_col = 120};
    ioctl(fd, TIOCSWINSZ, &window);
    return fd;
}

static void child(char **command, const char *screen) {
    if (screen) setsid();
    int fd = open(screen ? screen : "/dev/null", O_RDWR);
    int in = screen ? fd : open("/dev/null", O_RDONLY);
    dup2(in, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    execvp(command[0], command);
    _exit(127);
}

/* Reads what is shown until the command has ended. */
static void drain(int fd, pid_t pid) {
    char bytes[65536];
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 20) > 0 && read(fd, bytes, sizeof bytes) > 0) continue;
        siginfo_t info = {0};
        if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == pid) return;
        if (ready.revents & POLLHUP) usleep(200);
    }
}

int main(int argc, char **argv) {
    int times = 1, shows = 0, option;
    while ((option = getopt(argc, argv, "+tn:")) != -1) {
        if (option == 't') shows = 1;
        else if (option == 'n') times = atoi(optarg);
        else return 125;
    }
    if (optind == argc || times < 1) return 125;
    double wall = 0, user = 0, system = 0;
    long peak = 0;
    int status = 0;
    for (int n = 0; n < times; n++) {
        char name[64];
        int fd = shows ? terminal(name, sizeof name) : -1;
        double start = now();
        pid_t pid = fork();
        if (pid == 0) child(argv + optind, shows ? name : NULL);
        struct rusage used;
        if (shows) drain(fd, pid);
        wait4(pid, &status, 0, &used);
        wall += now() - start;
        user += ms(used.ru_utime);
        system += ms(used.ru_stime);
        if (used.ru_maxrss > peak) peak = used.ru_maxrss;
        if (shows) close(fd);
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("%.3f %.3f %.3f %ld %d\n", wall / times, user / times, system / times, peak, code);
    return 0;
}
