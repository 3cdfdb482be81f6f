// SPDX-License-Identifier: GPL-2.0-only
// Faults of the file system, preloaded into a process and those that it starts. ESX_FAULT is one of
//   kill N       SIGKILL for the whole process group just before event N
//   full N       from event N on the disk is full
//   eintr 0      each event but a renaming fails with EINTR once before it happens
// An event makes, writes or renames a file below the folder ESX_FAULT_IN; all processes together count them in the size of the file ESX_FAULT_LOG.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static _Thread_local int g_retried;

static int
IsBelow(const char* path)
{
    const char* folder = getenv("ESX_FAULT_IN");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int
IsFile(int descriptor)
{
    char link[64];
    char path[4096] = "";
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && readlink(link, path, sizeof path - 1) > 0 && IsBelow(path);
}

/// Counts an event. \return its number
static int
Count(void)
{
    struct stat status;
    const int file = (int)syscall(SYS_openat, AT_FDCWD, getenv("ESX_FAULT_LOG"), O_WRONLY | O_APPEND | O_CREAT, 0666);
    syscall(SYS_write, file, "x", 1);
    fstat(file, &status);
    close(file);
    return (int)status.st_size;
}

/// \return an error number, or 0: let it happen
static int
Event(int isRename)
{
    const char* fault = getenv("ESX_FAULT");
    const char* argument = strchr(fault, ' ') + 1;
    if (fault[0] == 'e')
    {
        g_retried = !g_retried && !isRename;
        return g_retried ? EINTR : 0;
    }
    const int event = Count();
    if (fault[0] == 'k' && event == atoi(argument))
    {
        kill(0, SIGKILL);
        pause();
    }
    return fault[0] == 'f' && !isRename && event >= atoi(argument) ? ENOSPC : 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_OR(isRename, call)                                                                                       \
    const int error = Event(isRename);                                                                               \
    if (error)                                                                                                         \
    {                                                                                                                  \
        errno = error;                                                                                                 \
        return -1;                                                                                                     \
    }                                                                                                                  \
    return call

ssize_t
write(int file, const void* octets, size_t size)
{
    if (!IsFile(file))
    {
        return REAL(write)(file, octets, size);
    }
    FAIL_OR(0, REAL(write)(file, octets, size));
}

ssize_t
writev(int file, const struct iovec* octets, int count)
{
    if (!IsFile(file))
    {
        return REAL(writev)(file, octets, count);
    }
    FAIL_OR(0, REAL(writev)(file, octets, count));
}

int
rename(const char* from, const char* to)
{
    if (!IsBelow(to))
    {
        return REAL(rename)(from, to);
    }
    FAIL_OR(1, REAL(rename)(from, to));
}

int
renameat2(int a, const char* from, int b, const char* to, unsigned flags)
{
    if (!IsBelow(to))
    {
        return REAL(renameat2)(a, from, b, to, flags);
    }
    FAIL_OR(1, REAL(renameat2)(a, from, b, to, flags));
}

static int
Open(__typeof__(&open) real, const char* path, int flags, mode_t mode)
{
    struct stat status;
    if (!(flags & O_CREAT) || !IsBelow(path) || (stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
    {
        return real(path, flags, mode);
    }
    FAIL_OR(0, real(path, flags, mode));
}

int
open(const char* path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    const mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return Open(REAL(open), path, flags, mode);
}

int
open64(const char* path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    const mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return Open(REAL(open64), path, flags, mode);
}
