// Stands between a program and the C library (LD_PRELOAD) and makes one of its calls on the files of a folder fail,
// come off by half, or be the last thing the process does. Told by environment variables:
//
//   FAULT_SHIM_FOLDER  calls on files in this folder (absolute, no links in it) are counted, from 1
//   FAULT_SHIM_PLAN    WHAT:WHICH:N. WHICH is any, sync (fsync, fdatasync) or write (write, pwrite, writev).
//                      WHAT is
//                        kill-before, kill-after  SIGKILL before or after call N of that kind
//                        stop-after               SIGSTOP after it
//                        kill-half                call N, a write, moves about half of its sectors, then SIGKILL
//                        enospc, eio              call N fails
//                        enospc-on, eio-on        call N and every later one fail
//                        short                    call N, a write, moves half of its bytes
//   FAULT_SHIM_FREE    the file system of this folder has that many bytes free
//   FAULT_SHIM_RECORD  a file outside the folder that gets what the calls that succeeded changed, in their order: for
//                      each "CALL OFFSET SIZE PATH_SIZE TO_SIZE\n", then the path, what it was renamed to, what was
//                      written (recording.py reads it)
//   FAULT_SHIM_REPORT  a file outside the folder that gets a line for each call: number, call, path

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { fds_max = 65536, sector = 512 };
enum kind { other_call, sync_call, write_call };
enum what { nothing, kill_before, kill_after, kill_half, stop_after, fail_enospc, fail_eio, short_write };

static struct {
    char folder[PATH_MAX];
    size_t folder_length;
    enum what what;
    int sticky;
    int counts_all;
    enum kind which;
    unsigned long at;
    int report;
    int record;
} plan;

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned long calls;
static unsigned long matching;
static char watched[fds_max];

static void misconfigured(const char* why) {
    (void)dprintf(2, "fault_shim: %s\n", why);
    _exit(99);
}

static void read_what(const char* text) {
    static const struct {
        const char* name;
        enum what what;
        int sticky;
    } all[] = {{"kill-before", kill_before, 0}, {"kill-after", kill_after, 0}, {"kill-half", kill_half, 0},
               {"stop-after", stop_after, 0},   {"enospc", fail_enospc, 0},    {"eio", fail_eio, 0},
               {"short", short_write, 0},       {"enospc-on", fail_enospc, 1}, {"eio-on", fail_eio, 1}};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        if (strcmp(text, all[i].name) == 0) {
            plan.what = all[i].what;
            plan.sticky = all[i].sticky;
        }
    }
    if (plan.what == nothing) {
        misconfigured("FAULT_SHIM_PLAN names no fault");
    }
}

static void read_plan(void) {
    const char* folder = getenv("FAULT_SHIM_FOLDER");
    const char* text = getenv("FAULT_SHIM_PLAN");
    const char* report = getenv("FAULT_SHIM_REPORT");
    const char* record = getenv("FAULT_SHIM_RECORD");
    plan.report = -1;
    plan.record = -1;
    if (folder == NULL) {
        return;
    }
    if (strlen(folder) >= sizeof plan.folder) {
        misconfigured("FAULT_SHIM_FOLDER is too long");
    }
    strcpy(plan.folder, folder);
    plan.folder_length = strlen(folder);
    if (report != NULL) {
        plan.report = (int)syscall(SYS_openat, AT_FDCWD, report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (plan.report < 0) {
            misconfigured("FAULT_SHIM_REPORT cannot be written");
        }
    }
    if (record != NULL) {
        plan.record = (int)syscall(SYS_openat, AT_FDCWD, record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (plan.record < 0) {
            misconfigured("FAULT_SHIM_RECORD cannot be written");
        }
    }
    if (text != NULL) {
        char what[16];
        char which[16];
        if (sscanf(text, "%15[a-z-]:%15[a-z]:%lu", what, which, &plan.at) != 3) {
            misconfigured("FAULT_SHIM_PLAN is not WHAT:WHICH:N");
        }
        read_what(what);
        plan.counts_all = strcmp(which, "any") == 0;
        plan.which = strcmp(which, "sync") == 0 ? sync_call : write_call;
    }
}

static int in_folder(const char* path) {
    return strncmp(path, plan.folder, plan.folder_length) == 0 &&
           (path[plan.folder_length] == '/' || path[plan.folder_length] == '\0');
}

// The path as the kernel would find it, as far as it needs no links to be followed.
static int is_watched(int directory, const char* path) {
    (void)pthread_once(&once, read_plan);
    if (plan.folder_length == 0) {
        return 0;
    }
    if (path[0] == '/') {
        return in_folder(path);
    }
    char whole[2 * PATH_MAX];
    if (directory != AT_FDCWD || getcwd(whole, PATH_MAX) == NULL) {
        return 0;
    }
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
    }
    const size_t length = strlen(whole);
    (void)snprintf(whole + length, sizeof whole - length, "/%s", path);
    return in_folder(whole);
}

static int fd_watched(int fd) {
    return fd >= 0 && fd < fds_max && watched[fd];
}

static void die(void) {
    (void)kill(getpid(), SIGKILL);
    for (;;) {
        (void)pause();
    }
}

static void report_call(const char* call, const char* path, int fd) {
    char name[64];
    char found[PATH_MAX];
    if (plan.report < 0) {
        return;
    }
    if (path == NULL) {
        (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        const ssize_t length = readlink(name, found, sizeof found - 1);
        found[length < 0 ? 0 : length] = '\0';
        path = found;
    }
    char line[PATH_MAX + 64];
    const int length = snprintf(line, sizeof line, "%lu %s %s\n", calls, call, path);
    (void)syscall(SYS_write, plan.report, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

// Notes what a call changed; without a path that of the descriptor. One gathered write, so that threads do not mix.
static void record_change(const char* call, int fd, const char* path, const char* to, long long offset,
                          const void* data, size_t size) {
    char name[64];
    char found[PATH_MAX];
    char head[128];
    if (plan.record < 0) {
        return;
    }
    const int saved = errno;
    if (path == NULL) {
        (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        const ssize_t length = readlink(name, found, sizeof found - 1);
        found[length < 0 ? 0 : length] = '\0';
        path = found;
    }
    to = to == NULL ? "" : to;
    const size_t kept = data == NULL ? 0 : size;
    const int length =
        snprintf(head, sizeof head, "%s %lld %zu %zu %zu\n", call, offset, kept, strlen(path), strlen(to));
    const struct iovec pieces[] = {
        {head, (size_t)length}, {(void*)path, strlen(path)}, {(void*)to, strlen(to)}, {(void*)data, kept}};
    (void)pthread_mutex_lock(&counting);
    const long written = syscall(SYS_writev, plan.record, pieces, 4);
    (void)pthread_mutex_unlock(&counting);
    if (written != (long)((size_t)length + strlen(path) + strlen(to) + kept)) {
        misconfigured("FAULT_SHIM_RECORD cannot be written whole");
    }
    errno = saved;
}

// Counts a call. What is to become of it: nothing special, or the fault that is planned for it.
static enum what count(const char* call, enum kind kind, const char* path, int fd) {
    enum what planned = nothing;
    const int saved = errno;
    (void)pthread_mutex_lock(&counting);
    ++calls;
    report_call(call, path, fd);
    if (plan.what != nothing && (plan.counts_all || plan.which == kind)) {
        ++matching;
        if (matching == plan.at || (plan.sticky && matching > plan.at)) {
            planned = plan.what;
        }
    }
    (void)pthread_mutex_unlock(&counting);
    errno = saved;
    if (planned == kill_before) {
        die();
    }
    return planned;
}

static int fails(enum what planned) {
    if (planned == fail_enospc || planned == fail_eio) {
        errno = planned == fail_enospc ? ENOSPC : EIO;
        return 1;
    }
    return 0;
}

// After the call was made.
static void afterwards(enum what planned) {
    if (planned == kill_after || planned == kill_half) {
        die();
    }
    if (planned == stop_after) {
        (void)kill(getpid(), SIGSTOP);
    }
}

// How much of a write of `size` bytes at `offset` is made. What a kill or a power cut leaves is whole sectors.
static size_t as_much_as(enum what planned, size_t size, off_t offset) {
    if (planned == short_write) {
        return size > 1 ? size / 2 : size;
    }
    if (planned == kill_half) {
        const off_t middle = (offset + (off_t)(size / 2)) / sector * sector;
        return middle > offset ? (size_t)(middle - offset) : 0;
    }
    return size;
}

// Used as the first statement of a function that takes the place of another: finds that other one.
#define REAL(name)                                \
    static __typeof__(&name) real;                \
    if (real == NULL) {                           \
        *(void**)&real = dlsym(RTLD_NEXT, #name); \
    }

#define OPEN(directory, path, flags, call)                                                       \
    mode_t mode = 0;                                                                             \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                       \
        va_list rest;                                                                            \
        va_start(rest, flags);                                                                   \
        mode = va_arg(rest, mode_t);                                                             \
        va_end(rest);                                                                            \
    }                                                                                            \
    if (!is_watched(directory, path)) {                                                          \
        return call;                                                                             \
    }                                                                                            \
    const enum what planned = count("open", other_call, path, -1);                               \
    if (fails(planned)) {                                                                        \
        return -1;                                                                               \
    }                                                                                            \
    const int fd = call;                                                                         \
    if (fd >= 0 && fd < fds_max) {                                                               \
        watched[fd] = 1;                                                                         \
        if ((flags) & (O_CREAT | O_TRUNC)) {                                                     \
            record_change((flags)&O_TRUNC ? "truncated" : "opened", fd, NULL, NULL, 0, NULL, 0); \
        }                                                                                        \
    }                                                                                            \
    afterwards(planned);                                                                         \
    return fd

int open(const char* path, int flags, ...) {
    REAL(open);
    OPEN(AT_FDCWD, path, flags, real(path, flags, mode));
}

int open64(const char* path, int flags, ...) {
    REAL(open64);
    OPEN(AT_FDCWD, path, flags, real(path, flags, mode));
}

int openat(int directory, const char* path, int flags, ...) {
    REAL(openat);
    OPEN(directory, path, flags, real(directory, path, flags, mode));
}

int openat64(int directory, const char* path, int flags, ...) {
    REAL(openat64);
    OPEN(directory, path, flags, real(directory, path, flags, mode));
}

int close(int fd) {
    REAL(close);
    if (!fd_watched(fd)) {
        return real(fd);
    }
    const enum what planned = count("close", other_call, NULL, fd);
    watched[fd] = 0;
    const int done = real(fd);  // Also where it fails: the descriptor is gone then.
    afterwards(planned);
    return fails(planned) ? -1 : done;
}

#define WRITE(call_name, fd, change_size, call, record)               \
    if (!fd_watched(fd)) {                                            \
        return call;                                                  \
    }                                                                 \
    const enum what planned = count(call_name, write_call, NULL, fd); \
    if (fails(planned)) {                                             \
        return -1;                                                    \
    }                                                                 \
    change_size;                                                      \
    const ssize_t done = call;                                        \
    if (done > 0) {                                                   \
        record;                                                       \
    }                                                                 \
    afterwards(planned);                                              \
    return done

ssize_t write(int fd, const void* from, size_t size) {
    REAL(write);
    WRITE("write", fd, size = as_much_as(planned, size, lseek(fd, 0, SEEK_CUR)), real(fd, from, size),
          record_change("write", fd, NULL, NULL, (long long)(lseek(fd, 0, SEEK_CUR) - done), from, (size_t)done));
}

ssize_t pwrite(int fd, const void* from, size_t size, off_t offset) {
    REAL(pwrite);
    WRITE("write", fd, size = as_much_as(planned, size, offset), real(fd, from, size, offset),
          record_change("write", fd, NULL, NULL, (long long)offset, from, (size_t)done));
}

ssize_t pwrite64(int fd, const void* from, size_t size, off64_t offset) {
    REAL(pwrite64);
    WRITE("write", fd, size = as_much_as(planned, size, offset), real(fd, from, size, offset),
          record_change("write", fd, NULL, NULL, (long long)offset, from, (size_t)done));
}

// Gathered writes are made whole or not at all: none of the program's files is written so.
ssize_t writev(int fd, const struct iovec* pieces, int size) {
    REAL(writev);
    WRITE("writev", fd, (void)0, real(fd, pieces, size),
          plan.record < 0 ? (void)0 : misconfigured("FAULT_SHIM_RECORD does not know gathered writes"));
}

#define CHANGE(name, kind, watch, path, fd, call, record)  \
    if (!(watch)) {                                        \
        return call;                                       \
    }                                                      \
    const enum what planned = count(name, kind, path, fd); \
    if (fails(planned)) {                                  \
        return -1;                                         \
    }                                                      \
    const int done = call;                                 \
    if (done == 0) {                                       \
        record;                                            \
    }                                                      \
    afterwards(planned);                                   \
    return done

int fsync(int fd) {
    REAL(fsync);
    CHANGE("fsync", sync_call, fd_watched(fd), NULL, fd, real(fd), record_change("fsync", fd, NULL, NULL, 0, NULL, 0));
}

int fdatasync(int fd) {
    REAL(fdatasync);
    CHANGE("fdatasync", sync_call, fd_watched(fd), NULL, fd, real(fd),
           record_change("fdatasync", fd, NULL, NULL, 0, NULL, 0));
}

int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    CHANGE("ftruncate", other_call, fd_watched(fd), NULL, fd, real(fd, size),
           record_change("resize", fd, NULL, NULL, (long long)size, NULL, 0));
}

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    CHANGE("ftruncate", other_call, fd_watched(fd), NULL, fd, real(fd, size),
           record_change("resize", fd, NULL, NULL, (long long)size, NULL, 0));
}

int rename(const char* from, const char* to) {
    REAL(rename);
    CHANGE("rename", other_call, is_watched(AT_FDCWD, to), to, -1, real(from, to),
           record_change("rename", -1, from, to, 0, NULL, 0));
}

int unlink(const char* path) {
    REAL(unlink);
    CHANGE("unlink", other_call, is_watched(AT_FDCWD, path), path, -1, real(path),
           record_change("unlink", -1, path, NULL, 0, NULL, 0));
}

int remove(const char* path) {
    REAL(remove);
    CHANGE("unlink", other_call, is_watched(AT_FDCWD, path), path, -1, real(path),
           record_change("unlink", -1, path, NULL, 0, NULL, 0));
}

int mkdir(const char* path, mode_t mode) {
    REAL(mkdir);
    CHANGE("mkdir", other_call, is_watched(AT_FDCWD, path), path, -1, real(path, mode),
           record_change("mkdir", -1, path, NULL, 0, NULL, 0));
}

static void report_free(const char* path, struct statvfs* about) {
    const char* free_bytes = getenv("FAULT_SHIM_FREE");
    if (free_bytes != NULL && is_watched(AT_FDCWD, path)) {
        about->f_frsize = 4096;
        about->f_bfree = about->f_bavail = strtoul(free_bytes, NULL, 10) / 4096;
    }
}

int statvfs(const char* path, struct statvfs* about) {
    REAL(statvfs);
    const int done = real(path, about);
    if (done == 0) {
        report_free(path, about);
    }
    return done;
}

int statvfs64(const char* path, struct statvfs64* about) {
    REAL(statvfs64);
    const int done = real(path, about);
    if (done == 0) {
        report_free(path, (struct statvfs*)about);  // One layout, where files have 64 bits.
    }
    return done;
}

// Gives the error instead of setting it.
static int allocated(int fd, off64_t offset, off64_t size, int (*real)(int, off64_t, off64_t)) {
    if (!fd_watched(fd)) {
        return real(fd, offset, size);
    }
    const enum what planned = count("posix_fallocate", other_call, NULL, fd);
    if (fails(planned)) {
        return errno;
    }
    const int done = real(fd, offset, size);
    if (done == 0) {
        record_change("extend", fd, NULL, NULL, (long long)(offset + size), NULL, 0);
    }
    afterwards(planned);
    return done;
}
int posix_fallocate(int fd, off_t offset, off_t size) {
    REAL(posix_fallocate);
    return allocated(fd, offset, size, real);
}

int posix_fallocate64(int fd, off64_t offset, off64_t size) {
    REAL(posix_fallocate64);
    return allocated(fd, offset, size, real);
}
