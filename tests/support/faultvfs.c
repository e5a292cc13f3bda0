#include "tests/support/faultvfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/support/support.h"

/* SQLite gives us szOsFile bytes; the real file's follow ours. */
struct fault_file {
    sqlite3_file base;
    sqlite3_file *real;
    const char *name; /* SQLite keeps it until the file is closed; NULL for files without one */
};

static struct {
    atomic_bool armed;
    enum faultvfs_kind kind; /* not changed while armed */
    const char *suffix;
    atomic_uint before;
    atomic_uint failed;
} plan;

static sqlite3_vfs fault_vfs;

static sqlite3_vfs *real_vfs(void)
{
    return fault_vfs.pAppData;
}

static sqlite3_file *real_file(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->real;
}

static bool is_meant(const char *name)
{
    size_t size = name == NULL ? 0 : strlen(name);
    size_t end = plan.suffix == NULL ? 0 : strlen(plan.suffix);

    return end <= size && (end == 0 || strcmp(name + size - end, plan.suffix) == 0);
}

static bool is_due(sqlite3_file *file, bool sync)
{
    unsigned before;

    if (!atomic_load(&plan.armed) || (plan.kind == FAULTVFS_SYNC) != sync ||
        !is_meant(((struct fault_file *)(void *)file)->name))
        return false;
    before = atomic_load(&plan.before);
    while (before > 0) {
        if (atomic_compare_exchange_weak(&plan.before, &before, before - 1))
            return false;
    }
    atomic_fetch_add(&plan.failed, 1);
    return true;
}

static int fault_close(sqlite3_file *file)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xClose(real);
}

static int fault_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xRead(real, data, size, offset);
}

static int fault_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = real_file(file);

    if (!is_due(file, false))
        return real->pMethods->xWrite(real, data, size, offset);
    if (plan.kind == FAULTVFS_SHORT)
        (void)real->pMethods->xWrite(real, data, size / 2, offset);
    return plan.kind == FAULTVFS_WRITE ? SQLITE_IOERR_WRITE : SQLITE_FULL;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xTruncate(real, size);
}

static int fault_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *real = real_file(file);

    return is_due(file, true) ? SQLITE_IOERR_FSYNC : real->pMethods->xSync(real, flags);
}

static int fault_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xFileSize(real, ret_size);
}

static int fault_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xLock(real, level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xUnlock(real, level);
}

static int fault_check_lock(sqlite3_file *file, int *ret_held)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xCheckReservedLock(real, ret_held);
}

static int fault_control(sqlite3_file *file, int operation, void *argument)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xFileControl(real, operation, argument);
}

static int fault_sector_size(sqlite3_file *file)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xSectorSize(real);
}

static int fault_characteristics(sqlite3_file *file)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xDeviceCharacteristics(real);
}

static int fault_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_map)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xShmMap(real, region, size, extend, ret_map);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xShmLock(real, offset, count, flags);
}

static void fault_shm_barrier(sqlite3_file *file)
{
    sqlite3_file *real = real_file(file);

    real->pMethods->xShmBarrier(real);
}

static int fault_shm_unmap(sqlite3_file *file, int remove)
{
    sqlite3_file *real = real_file(file);

    return real->pMethods->xShmUnmap(real, remove);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_file_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_size,
    .xDeviceCharacteristics = fault_characteristics,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct fault_file *ours = (struct fault_file *)(void *)file;

    (void)vfs;
    ours->base.pMethods = NULL;
    ours->real = (sqlite3_file *)(void *)(ours + 1);
    ours->real->pMethods = NULL;
    ours->name = name;
    int code = real_vfs()->xOpen(real_vfs(), name, ours->real, flags, ret_flags);
    /* SQLite closes a file whose methods are set even when opening it failed. */
    if (ours->real->pMethods != NULL)
        ours->base.pMethods = &fault_methods;
    return code;
}

static void make(int everywhere)
{
    if (fault_vfs.pAppData != NULL)
        return;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    assert_non_null(real);
    fault_vfs = *real;
    fault_vfs.pAppData = real;
    fault_vfs.zName = FAULTVFS_NAME;
    fault_vfs.pNext = NULL;
    fault_vfs.szOsFile = (int)sizeof(struct fault_file) + real->szOsFile;
    fault_vfs.xOpen = fault_open;
    assert_int_equal(sqlite3_vfs_register(&fault_vfs, everywhere), SQLITE_OK);
}

void faultvfs_register(void)
{
    make(0);
}

void faultvfs_everywhere(void)
{
    make(1);
}

void faultvfs_fail(enum faultvfs_kind kind, unsigned before)
{
    faultvfs_fail_file(NULL, kind, before);
}

void faultvfs_fail_file(const char *suffix, enum faultvfs_kind kind, unsigned before)
{
    atomic_store(&plan.armed, false);
    plan.suffix = suffix;
    plan.kind = kind;
    atomic_store(&plan.before, before);
    atomic_store(&plan.failed, 0);
    atomic_store(&plan.armed, true);
}

unsigned faultvfs_failed(void)
{
    return atomic_load(&plan.failed);
}

unsigned faultvfs_heal(void)
{
    atomic_store(&plan.armed, false);
    return atomic_load(&plan.failed);
}
